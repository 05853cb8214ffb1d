"""The commands of docs/deploy.md that back up and restore, word for word, while people sign up."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from itertools import count
from pathlib import Path
from unittest import SkipTest, enterModuleContext

import psycopg
from django.test import SimpleTestCase, tag

from testing.cast import PASSWORD
from testing.client import Client
from testing.servers import ROOT, Server, manage, site_environment
from testing.services import Postgres, find, missing, wait_until
from users.tests.test_profile import picture

DOCUMENT = (ROOT / "docs" / "deploy.md").read_text()
CLIENTS = 4
SOME = 6  # sign-ups before the backup, and after it


def setUpModule():
    global static
    static = enterModuleContext(tempfile.TemporaryDirectory())
    environment = site_environment("sqlite://:memory:", STATIC_ROOT=static)
    manage(environment, "collectstatic", "--noinput", "--verbosity=0")


def commands(heading):
    """Return the commands of the first console block below `heading`, without their prompts."""
    _, found, below = DOCUMENT.partition(f"\n{heading}\n")
    block = re.search(r"```console\n(.*?)```", below, re.DOTALL)[1] if found else ""
    return re.sub(r"^[#$] ", "", block, flags=re.MULTILINE)


class Storm:
    """Clients that sign up one member after another at `server` while the `with` block runs."""

    def __init__(self, server):
        self.server, self.over = server, threading.Event()
        self.tried, self.answered = [], []
        self.threads = [
            threading.Thread(target=self.sign_up, args=[client]) for client in range(CLIENTS)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def sign_up(self, client):
        for number in count():
            if self.over.is_set():
                return
            name = f"storm{client}x{number}"
            browser = Client(self.server.port, ip=f"198.51.{client}.{number % 250}")
            browser.read_form("/register/")
            fields = {"username": name, "email": f"{name}@example.com"}
            self.tried.append(name)
            answer = browser.post("/register/", **fields, password1=PASSWORD, password2=PASSWORD)
            if answer.status == 302:
                self.answered.append(name)

    def wait_for(self, more):
        """Wait until `more` sign-ups than now are answered, and return all that are."""
        enough = len(self.answered) + more
        wait_until(lambda: len(self.answered) >= enough)
        return set(self.answered)


@tag("slow")
class BackupTestCase(SimpleTestCase):
    """A site whose data is in `folder`, which stands for the paths of the document."""

    programs = ["tar", "install"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if absent := [name for name in cls.programs if not find(name)]:
            raise SkipTest(f"Not installed: {', '.join(absent)}")
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def site(self, database_url):
        """Return the environment of a site that is ready to be served."""
        environment = site_environment(
            database_url,
            MEDIA_ROOT=str(self.folder / "lib" / "media"),
            STATIC_ROOT=static,
        )
        manage(environment, "migrate", "--verbosity=0")
        return environment

    def serve(self, environment):
        return Server(environment, log=self.folder / "log")

    def run_commands(self, heading, environment):
        """Run what the document has below `heading`, but for users and units of systemd."""
        script = commands(heading)
        self.assertTrue(script, f"docs/deploy.md has no commands below {heading}")
        for there, here in {
            r"^systemctl .*\n": "",
            r"-o blog -g blog ": "",
            r"/var/lib/blog": str(self.folder / "lib"),
            r"/var/backups/blog": str(self.folder / "backups"),
            r"deploy/manage": f"{sys.executable} manage.py",
            **self.replaced(),
        }.items():
            script = re.sub(there, here, script, flags=re.MULTILINE)
        programs = Path(find("initdb") or sys.executable).parent  # not Debian's wrappers
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        environment = {"DEBUG": "false", **environment, **self.postgres_environment(), "PATH": path}
        shell = ["bash", "-euo", "pipefail", "-c", script]
        run = subprocess.run(shell, cwd=ROOT, env=environment, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, f"{script}\n{run.stdout}{run.stderr}")

    def replaced(self):
        return {}

    def postgres_environment(self):
        return {}

    def storm_and_back_up(self, environment, *headings):
        """Back up in the midst of sign-ups; return those answered before, and all answered."""
        with self.serve(environment) as server:
            with Storm(server) as storm:
                storm.pictured = storm.wait_for(1).pop()
                browser = self.log_in(server, storm.pictured)
                browser.read_form("/account/")
                image = {"field": "picture", "data": picture(), "username": storm.pictured}
                self.assertEqual(browser.upload("/account/", **image).status, 302)
                before = storm.wait_for(SOME)
                for heading in headings:
                    self.run_commands(heading, environment)
                storm.wait_for(SOME)
            return before, storm

    def log_in(self, server, name):
        """Return a browser in which the member `name` is logged in."""
        browser = Client(server.port)
        browser.read_form("/login/")
        answer = browser.post("/login/", username=f"{name}@example.com", password=PASSWORD)
        self.assertEqual(answer.status, 302)
        return browser

    def assertRestored(self, environment, before, storm):
        """Assert that the site has who was promised to be there, and the picture of one."""
        names = self.names()
        self.assertEqual(before - names, set())
        self.assertLessEqual(names, set(storm.tried))
        # Whoever signed up after the backup is not there, or nothing was restored.
        self.assertLess(len(names), len(storm.answered))
        with self.serve(environment) as server:
            self.log_in(server, max(before))
            page = self.log_in(server, storm.pictured).get("/account/").body.decode()
            pictures = set(re.findall(r'src="/(media/[^"]+)"', page))
        self.assertEqual(len(pictures), 1)
        self.assertTrue((self.folder / "lib" / pictures.pop()).is_file())


class OnSQLite(BackupTestCase):
    programs = [*BackupTestCase.programs, "sqlite3"]

    def test_restored_site_has_every_sign_up_that_was_answered_before_the_backup(self):
        file = self.folder / "lib" / "db.sqlite3"
        file.parent.mkdir()
        environment = self.site(f"sqlite:///{file}")
        before, storm = self.storm_and_back_up(environment, "### Back up SQLite and the pictures")
        shutil.rmtree(self.folder / "lib" / "media")
        self.run_commands("### Restore SQLite and the pictures", environment)
        with sqlite3.connect(file) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        self.assertRestored(environment, before, storm)

    def names(self):
        with sqlite3.connect(self.folder / "lib" / "db.sqlite3") as database:
            return {name for (name,) in database.execute("SELECT username FROM users_user")}


class OnPostgreSQL(BackupTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if absent := missing():
            raise SkipTest(f"Not installed: {', '.join(absent)}")
        cls.postgres = cls.enterClassContext(Postgres())
        with psycopg.connect(cls.postgres.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE blog LOGIN")
            connection.execute("CREATE DATABASE blog OWNER blog")

    def url(self, name):
        return f"postgres://blog:password@127.0.0.1:{self.postgres.port}/{name}"

    def replaced(self):
        return {r"10\.0\.0\.5:5432": f"127.0.0.1:{self.postgres.port}"}

    def postgres_environment(self):
        # `createdb` is for whoever may make databases.
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.postgres.port), "PGUSER": "postgres"}

    def test_restored_site_has_every_sign_up_that_was_answered_before_the_backup(self):
        (self.folder / "backups").mkdir()
        environment = self.site(self.url("blog"))
        before, storm = self.storm_and_back_up(environment, "### Back up PostgreSQL")
        self.run_commands("### Restore PostgreSQL", environment)
        environment["DATABASE_URL"] = self.url("blog_restored")
        self.assertRestored(environment, before, storm)

    def names(self):
        with psycopg.connect(self.url("blog_restored")) as connection:
            return {name for (name,) in connection.execute("SELECT username FROM users_user")}
