"""The production server as it is started, asked and stopped."""

import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

from django.test import SimpleTestCase, tag

from testing.client import Client
from testing.servers import ROOT, Server, manage, site_environment


@tag("slow")
class ServerTestCase(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.environment = site_environment(
            f"sqlite:///{cls.folder / 'site.sqlite3'}", STATIC_ROOT=str(cls.folder / "static")
        )
        manage(cls.environment, "migrate", "--verbosity=0")
        manage(cls.environment, "collectstatic", "--noinput", "--verbosity=0")

    def serve(self, *arguments, **environment):
        environment = {**self.environment, **environment}
        return Server(environment, *arguments, log=self.folder / "log")


class Refusals(ServerTestCase):
    def refusal(self, *command, **environment):
        """Return all that gunicorn, or another `command`, says, which has to end by itself."""
        command = [sys.executable, *(command or ["-m", "gunicorn", "--check-config"])]
        environment = {**self.environment, **environment}
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        return run.stderr

    def test_each_is_one_clear_line(self):
        empty = f"sqlite:///{self.folder / 'empty.sqlite3'}"
        away = "postgres://nobody@127.0.0.1:9/none"
        for environment, words in [
            ({"SECRET_KEY": ""}, "SECRET_KEY is not set. Make one with: python"),
            ({"SECRET_KEY": "x" * 49}, "SECRET_KEY has fewer than 50 characters. Make one with"),
            ({"DATABASE_URL": empty}, "There are migrations to apply: python manage.py migrate"),
            ({"DEBUG": "ture"}, "DEBUG must be true or false, not 'ture'."),
            ({"DATABASE_URL": away}, "The database does not answer: "),
        ]:
            with self.subTest(words):
                refusal = self.refusal(**environment)
                self.assertIn(f"Not started: {words}", refusal)
                if environment.get("DATABASE_URL") != away:  # where the driver has its say as well
                    self.assertEqual(refusal.count("\n"), 1, refusal)

    def test_make_serve_asks_before_it_collects_static_files(self):
        refusal = self.refusal("gunicorn.conf.py", SECRET_KEY="")
        self.assertTrue(refusal.startswith("Not started: SECRET_KEY is not set."), refusal)
        self.assertEqual(refusal.count("\n"), 1, refusal)


class Serving(ServerTestCase):
    def test_answers_logs_and_stops(self):
        with self.serve(WEB_CONCURRENCY="2") as server:
            browser = Client(server.port)
            while len(server.workers()) < 2:
                time.sleep(0.01)
            for path in ["/healthz", "/readyz"]:
                answer = browser.get(path)
                self.assertEqual((answer.status, answer.body), (200, b'{"status": "ok"}'))
            answer = browser.get("/about/?no=secret")
            self.assertIn(b"<h1>About</h1>", answer.body)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(timeout=30), 0)
        log = server.log.read_text()
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        self.assertEqual({line["path"] for line in lines}, {"/", "/about/"})
        self.assertNotIn("secret", log)

    def test_debug_is_off_and_static_files_are_kept_for_good(self):
        with self.serve() as server:
            browser = Client(server.port)
            answer = browser.get("/no/such/page/")
            self.assertEqual(answer.status, 404)
            self.assertNotIn(b"URLconf", answer.body)
            style = manage(
                self.environment,
                "shell",
                "--command",
                "from django.templatetags.static import static; print(static('blog/site.css'))",
            ).split()[-1]
            answer = browser.get(style)
            self.assertIn(b"immutable", answer.head)
            self.assertRegex(style, r"/static/blog/site\.[0-9a-f]{12}\.css")

    def test_https_is_nothing_that_a_header_claims(self):
        with self.serve(SECURE_SSL="true") as server:
            for headers in [{}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Ssl": "on"}]:
                connection = HTTPConnection("127.0.0.1", server.port)
                connection.request("GET", "/about/", headers=headers)
                response = connection.getresponse()
                self.assertEqual(response.status, 301, headers)
                self.assertTrue(response.headers["Location"].startswith("https://"))
                connection.close()

    def test_sigterm_lets_a_login_end_that_waits_for_its_password_to_be_hashed(self):
        with self.serve() as server:
            browser = Client(server.port)
            self.sign_up(browser)
            browser.read_form("/login/")
            answers = []
            login = {"username": "alice@example.com", "password": "correct horse battery"}
            thread = threading.Thread(
                target=lambda: answers.append(browser.post("/login/", **login))
            )
            thread.start()
            while not self.has_begun():
                time.sleep(0.001)
            server.signal(signal.SIGTERM)
            thread.join()
            self.assertEqual(answers[0].status, 302)
            self.assertEqual(server.process.wait(timeout=30), 0)
        self.assertEqual(self.kinds(), ["registered", "login"])

    def sign_up(self, browser):
        browser.read_form("/register/")
        password = {"password1": "correct horse battery", "password2": "correct horse battery"}
        answer = browser.post("/register/", username="Alice", email="alice@example.com", **password)
        self.assertEqual(answer.status, 302)

    def has_begun(self):
        """Return whether the login is written down, before its password is hashed."""
        return self.kinds() == ["registered", "login failed"]

    def kinds(self):
        with sqlite3.connect(self.folder / "site.sqlite3") as database:
            rows = database.execute("SELECT kind FROM users_securityevent ORDER BY id")
            return [kind for (kind,) in rows]
