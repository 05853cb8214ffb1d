from unittest.mock import patch

from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import TestCase, override_settings

from blog_project.health import check_migrations


class Healthz(TestCase):
    def test_needs_no_database(self):
        with self.assertNumQueries(0):
            response = self.client.get("/healthz")
        self.assertEqual((response.status_code, response.json()), (200, {"status": "ok"}))
        self.assertEqual(response["Cache-Control"], "no-store")

    @override_settings(ALLOWED_HOSTS=["blog.example"], SECURE_SSL_REDIRECT=True)
    def test_whoever_asks_needs_neither_the_name_nor_https(self):
        for path in ["/healthz", "/readyz"]:
            self.assertEqual(self.client.get(path, headers={"host": "10.0.0.7"}).status_code, 200)
        with self.assertLogs("django.security.DisallowedHost"):
            response = self.client.get("/", headers={"host": "10.0.0.7"})
        self.assertEqual(response.status_code, 400)

    def test_is_not_logged(self):
        with self.assertNoLogs("blog_project"):
            self.client.get("/healthz")
            self.client.get("/readyz")


class Readyz(TestCase):
    def setUp(self):
        check_migrations.cache_clear()
        self.addCleanup(check_migrations.cache_clear)

    def assertReady(self):
        response = self.client.get("/readyz")
        self.assertEqual((response.status_code, response.json()), (200, {"status": "ok"}))

    def assertNotReady(self, reason):
        with self.assertLogs("blog_project.health") as logs, self.assertNoLogs("django.request"):
            response = self.client.get("/readyz")
        self.assertEqual((response.status_code, response.json()), (503, {"status": "unavailable"}))
        self.assertIn(reason, logs.output[0])

    def test_one_query_once_the_migrations_are_known(self):
        self.assertReady()
        with self.assertNumQueries(1):
            self.assertReady()

    def test_a_migration_is_missing(self):
        newest = MigrationLoader(connection).graph.leaf_nodes("users")[0]
        MigrationRecorder(connection).record_unapplied(*newest)
        self.assertNotReady("python manage.py migrate")
        MigrationRecorder(connection).record_applied(*newest)
        self.assertReady()

    def test_the_database_is_away(self):
        self.assertReady()
        error = OperationalError("connection to 10.0.0.5 refused\nmore")
        with patch.object(connection, "cursor", side_effect=error):
            self.assertNotReady("The database does not answer: connection to 10.0.0.5 refused")
        self.assertReady()

    def test_the_database_was_never_there(self):
        with patch.object(connection, "cursor", side_effect=OperationalError):
            self.assertNotReady("The database does not answer")
