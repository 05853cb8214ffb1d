"""Paths that no browser sends, as they are, to runserver and to the production server."""

import sys

from django.test import tag

from testing.client import Client
from testing.servers import ROOT, Server

from .test_server import ServerTestCase

OUTSIDE = [
    *["../manage.py", "%2e%2e/manage.py", "..%2fmanage.py", "..%5cmanage.py", "../../etc/passwd"],
    *["/etc/passwd", "%2fetc/passwd", "blog/../../../manage.py", "%252e%252e/manage.py"],
    *["%c0%ae%c0%ae/manage.py", "C:%5cmanage.py", "~root/.bashrc"],
]
ODD = ["%00", "%00.jpg", "%ff", "%0d%0a", "[", "", "blog", "x" * 2000, "0" * 32 + ".jpg%00"]
FOLDERS = ["/nope/", "/static/", "/static/blog/", "/media/", "/media/pictures/"]

# The site's own settings, and a folder in which a test may change static files.
SETTINGS = """
from blog_project.settings import *
STATICFILES_DIRS = [{!r}]
"""


class Runserver(Server):
    def __init__(self, environment, log):
        super().__init__(environment, log=log)
        port = str(self.port)
        self.command = [sys.executable, "manage.py", "runserver", "--noreload", port]


@tag("slow")
class OddPaths(ServerTestCase):
    def runserver(self, **environment):
        return Runserver({**self.environment, **environment}, self.folder / "log")

    def assertNotFound(self, server):
        browser = Client(server.port)
        for path in [folder + name for folder in FOLDERS for name in OUTSIDE + ODD]:
            with self.subTest(path[:80]):
                self.assertEqual(browser.get(path).status, 404)
        self.assertNotIn("Traceback", server.log.read_text())

    def test_are_not_found_on_runserver(self):
        with self.runserver() as server:
            self.assertNotFound(server)

    def test_are_not_found_in_production(self):
        with self.serve() as server:
            self.assertNotFound(server)

    def test_runserver_serves_static_files_as_they_are_at_this_moment(self):
        changing = self.folder / "source" / "changing.css"
        changing.parent.mkdir()
        (self.folder / "changed.py").write_text(SETTINGS.format(str(changing.parent)))
        environment = {"DJANGO_SETTINGS_MODULE": "changed", "PYTHONPATH": str(self.folder)}
        with self.runserver(**environment) as server:
            browser = Client(server.port)
            answer = browser.get("/static/blog/site.css")
            style = ROOT / "blog" / "static" / "blog" / "site.css"
            self.assertEqual((answer.status, answer.body), (200, style.read_bytes()))
            self.assertEqual(browser.get("/static/admin/css/base.css").status, 200)
            for text in [b"a {}", b"b {}"]:
                changing.write_bytes(text)
                answer = browser.get("/static/changing.css")
                self.assertEqual((answer.status, answer.body), (200, text))
                self.assertIn(b"max-age=0", answer.head)
