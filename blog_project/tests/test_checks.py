import os
import tempfile
from pathlib import Path
from unittest.mock import patch

import django
from django.conf import settings
from django.core import checks
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import SimpleTestCase, TestCase, override_settings

from blog_project.health import check_migrations

HOST = {
    "ALLOWED_HOSTS": ["blog.example"],
    "SITE_URL": "https://blog.example",
    "SECURE_SSL_REDIRECT": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "TRUSTED_PROXY_COUNT": 1,
    "DEFAULT_FROM_EMAIL": "Blog <noreply@blog.example>",
    "MEDIA_ROOT": Path(tempfile.gettempdir()) / "no" / "such" / "media",
    "SECOND_FACTOR_REQUIRED": "staff",
}


def mailer(name):
    """Return the settings that send mail by Django's backend `name`, or the one of that path."""
    backend = name if "." in name else f"django.core.mail.backends.{name}.EmailBackend"
    if django.VERSION < (6, 1):
        return {"EMAIL_BACKEND": backend}
    return {"MAILERS": {"default": {"BACKEND": backend}}}


def ours(deploy=True, databases=None):
    """Return what the checks of this project say, by id."""
    said = checks.run_checks(include_deployment_checks=deploy, databases=databases)
    return {m.id: m for m in said if m.id.startswith(("blog_project.", "users."))}


class ChecksTestCase(SimpleTestCase):
    def said(self, **changed):
        with override_settings(**{**HOST, **changed}):
            return ours()

    def assertSays(self, id, words, **changed):
        """Assert that `id` alone is said, with `words`, and what to do."""
        said = self.said(**changed)
        self.assertEqual(list(said), [id])
        self.assertIn(words, said[id].msg)
        self.assertTrue(said[id].hint)


class Silent(ChecksTestCase):
    def test_host_as_the_documents_set_it_up(self):
        self.assertEqual(self.said(), {})

    def test_without_deploy_nothing_is_asked(self):
        with override_settings(**{**HOST, "SITE_URL": "http://other.example"}):
            self.assertEqual(ours(deploy=False), {})


class SiteUrl(ChecksTestCase):
    def test_is_a_name_that_the_site_answers_to(self):
        for url, hosts in [
            ("https://www.blog.example", ["blog.example"]),
            ("https://blog.example", []),
            ("https://[::1]:8443", ["blog.example"]),
        ]:
            with self.subTest(url):
                self.assertSays(
                    "blog_project.W001", "not in ALLOWED_HOSTS", SITE_URL=url, ALLOWED_HOSTS=hosts
                )
        for url, hosts in [
            ("https://www.blog.example:8443", [".blog.example"]),
            ("https://[::1]:8443", ["[::1]"]),
            ("https://any.example", ["*"]),
        ]:
            with self.subTest(url):
                self.assertEqual(self.said(SITE_URL=url, ALLOWED_HOSTS=hosts), {})

    def test_is_https_where_http_is_redirected(self):
        http = {"SITE_URL": "http://blog.example"}
        self.assertSays("blog_project.W002", "plain HTTP", **http)
        plain = {"SECURE_SSL_REDIRECT": False, "SECURE_PROXY_SSL_HEADER": None}
        self.assertEqual(self.said(**http, **plain), {})


class Proxies(ChecksTestCase):
    def test_none_is_counted_where_one_ends_tls(self):
        self.assertSays("blog_project.W003", "All visitors count as one", TRUSTED_PROXY_COUNT=0)

    def test_one_is_counted_and_does_not_tell_of_https(self):
        untold = {"SECURE_PROXY_SSL_HEADER": None}
        self.assertSays("blog_project.W004", "redirect to themselves", **untold)
        self.assertEqual(self.said(**untold, TRUSTED_PROXY_COUNT=0), {})
        self.assertEqual(self.said(**untold, SECURE_SSL_REDIRECT=False), {})


class Mail(ChecksTestCase):
    def test_goes_to_somebody(self):
        for name in ["console", "dummy", "filebased", "users.emails.TerminalBackend"]:
            with self.subTest(name):
                self.assertSays("blog_project.W005", "Nobody gets the mails", **mailer(name))
        self.assertEqual(self.said(**mailer("smtp")), {})

    def test_comes_from_an_email_that_exists(self):
        sender = "Blog <noreply@localhost>"
        self.assertSays("blog_project.W006", "noreply@localhost", DEFAULT_FROM_EMAIL=sender)

    def test_the_hint_is_a_command_of_django(self):
        hint = self.said(**mailer("dummy"))["blog_project.W005"].hint
        self.assertIn("manage.py sendtestemail", hint)


class Media(ChecksTestCase):
    def test_is_not_among_the_code(self):
        code = settings.BASE_DIR
        media = code.parent / "other" / ".." / code.name / "media"
        self.assertSays("blog_project.W007", "among the code", MEDIA_ROOT=media)

    def test_is_writable_or_may_be_made(self):
        with tempfile.TemporaryDirectory() as folder:
            for media in [Path(folder), Path(folder) / "media"]:
                self.assertEqual(self.said(MEDIA_ROOT=media), {})
            # Root may write anywhere, so that it is said for root.
            with patch("os.access", side_effect=lambda path, mode: not mode & os.W_OK):
                self.assertSays("blog_project.W008", f"{folder} is not", MEDIA_ROOT=media)
            file = Path(folder) / "file"
            file.touch(mode=0o700)
            self.assertSays("blog_project.W008", f"{file} is not", MEDIA_ROOT=file / "media")


@override_settings(**HOST)
class Migrations(TestCase):
    def setUp(self):
        check_migrations.cache_clear()
        self.addCleanup(check_migrations.cache_clear)

    def test_nothing_is_said_if_all_are_applied(self):
        self.assertEqual(ours(databases=["default"]), {})

    def test_a_missing_one_is_an_error_and_keeps_nobody_from_migrating(self):
        newest = MigrationLoader(connection).graph.leaf_nodes("users")[0]
        MigrationRecorder(connection).record_unapplied(*newest)
        said = ours(databases=["default"])
        self.assertIn("manage.py migrate", said["blog_project.E001"].msg)
        self.assertTrue(said["blog_project.E001"].is_serious())
        self.assertEqual(ours(), {})  # without --database
        self.assertEqual(ours(deploy=False, databases=["default"]), {})  # as `migrate` asks

    def test_the_database_is_away(self):
        error = OperationalError("connection to 10.0.0.5 refused")
        with patch.object(connection, "cursor", side_effect=error):
            said = ours(databases=["default"])
        self.assertEqual(list(said), ["blog_project.E001"])
        self.assertIn("10.0.0.5 refused", said["blog_project.E001"].msg)
