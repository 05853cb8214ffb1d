"""The production server as it is started, asked and stopped."""

import json
import re
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

from testing.cast import PASSWORD
from testing.client import Client, at_once
from testing.servers import ROOT, Server, manage, site_environment
from users.tests.test_profile import picture


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
            self.assertNotIn(b"Access-Control-Allow-Origin", answer.head)
            self.assertNotIn(b"gunicorn", answer.head)
            self.assertRegex(style, r"/static/blog/site\.[0-9a-f]{12}\.css")
            self.assertEqual(browser.get("/static/blog/site.css").status, 404)
        files = Path(self.environment["STATIC_ROOT"])
        names = {file.name for file in files.glob("*/*")}
        for name in [name for name in names if name.endswith((".css", ".map"))]:
            for packed in [f"{name}.gz", f"{name}.br"]:
                self.assertEqual(packed in names, name.endswith(".css"), packed)

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


class UploadsAtOnce(ServerTestCase):
    """Forty-eight uploads of the costliest pictures that the site takes, from everywhere."""

    def setUp(self):
        create = f"User.objects.create_user('Alice', 'alice@example.com', '{PASSWORD}')"
        code = f"from users.models import User; {create}"
        manage(self.environment, "shell", "--command", code)
        self.pictures = [
            picture("WEBP", (4_000, 4_000), "RGBA", (1, 2, 3, 4)),
            picture("JPEG", (7_000, 7_000), progressive=True, subsampling=0),
            picture("JPEG", (7_000, 7_000), "CMYK", (1, 2, 3, 4), progressive=True),
            picture("PNG", (4_000, 4_000), "RGBA", (1, 2, 3, 4)),
            picture("PNG", size=(64, 64))[:33] + bytes(5_000_000),
        ]

    def test_leave_the_worker_small_and_the_pages_quick(self):
        media = str(self.folder / "media")
        with self.serve(MEDIA_ROOT=media, PICTURES_PER_MEMBER_PER_HOUR="1000") as server:
            self.alice = Client(server.port)
            self.alice.read_form("/login/")
            fields = {"username": "alice@example.com", "password": PASSWORD}
            self.assertEqual(self.alice.post("/login/", **fields).status, 302)
            self.alice.read_form("/account/")
            (self.worker,), self.over, self.most = server.workers(), threading.Event(), 0
            self.seconds = []
            watchers = [
                threading.Thread(target=work)
                for work in [self.watch, lambda: self.read("/"), lambda: self.read("/healthz")]
            ]
            for watcher in watchers:
                watcher.start()
            statuses = at_once(48, self.upload)
            self.over.set()
            for watcher in watchers:
                watcher.join()
            self.assertLess(self.memory(self.worker, "VmHWM"), 200)
        self.assertGreater(self.most, 100)  # or nothing was measured
        self.assertLess(self.most, 500)
        self.assertLess(max(self.seconds), 1)
        self.assertLessEqual(set(statuses), {302, 200, 503})  # stored, refused, no room to wait
        self.assertIn(503, statuses)
        self.assertIn(302, statuses)

    def upload(self, index):
        client = Client(self.alice.port, ip=f"198.51.{index}.7")
        client.cookies, client.token = dict(self.alice.cookies), self.alice.token
        data = self.pictures[index % len(self.pictures)]
        return client.upload("/account/", "picture", data, username="Alice").status

    def read(self, path):
        client = Client(self.alice.port, ip="203.0.113.9")
        while not self.over.is_set():
            self.seconds.append(client.get(path).seconds)
            time.sleep(0.05)

    def watch(self):
        """Keep how many MB the worker and what it started took at most, together."""
        while not self.over.is_set():
            lists = Path(f"/proc/{self.worker}/task").glob("*/children")
            pids = [self.worker, *(pid for path in lists for pid in path.read_text().split())]
            self.most = max(self.most, sum(self.memory(pid, "VmRSS") for pid in pids))
            time.sleep(0.01)

    def memory(self, pid, name):
        """Return the MB of the process `pid` that its line `name` says, 0 if it is over."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0
