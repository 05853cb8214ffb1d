"""Two web servers on one PostgreSQL, which may fail."""

import json
import re
import signal
import tempfile
import threading
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from unittest import SkipTest

import psycopg
from django.test import SimpleTestCase, tag

from testing.cast import PASSWORD
from testing.client import Client, at_once
from testing.servers import Server, manage, site_environment
from testing.services import Postgres, missing, wait_until

numbers = count(1)


def setUpModule():
    global postgres, environment, folder, one, other, started
    if absent := missing():
        raise SkipTest(f"Not installed: {', '.join(absent)}")
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres())
        static = stack.enter_context(tempfile.TemporaryDirectory())
        environment = site_environment(postgres.url, STATIC_ROOT=static)
        manage(environment, "migrate", "--verbosity=0")
        manage(environment, "collectstatic", "--noinput", "--verbosity=0")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        one = stack.enter_context(serve("one", WEB_CONCURRENCY="2"))
        other = stack.enter_context(serve("other"))
        wait_until(lambda: len(one.workers()) == 2)
        started = stack.pop_all()


def tearDownModule():
    started.close()


def serve(name, **more):
    return Server({**environment, **more}, log=folder / name)


def query(statement, *parameters):
    with psycopg.connect(postgres.url) as connection:
        return connection.execute(statement, parameters).fetchall()


class Browser(Client):
    """A browser that knows its way around the site, on one server or the other."""

    def at(self, server):
        """Go on at `server`, as through a proxy that sends each request where it likes."""
        if self.port != server.port:
            self.port, self.socket = server.port, None
        return self

    def sign_up(self, name):
        self.read_form("/register/")
        fields = {"username": name, "email": f"{name}@example.com"}
        return self.post("/register/", **fields, password1=PASSWORD, password2=PASSWORD)

    def log_in(self, name, password=PASSWORD):
        self.read_form("/login/")
        return self.post("/login/", username=f"{name}@example.com", password=password)

    def log_out(self):
        self.read_form("/logout/")
        return self.post("/logout/")


@tag("slow")
class MachinesTestCase(SimpleTestCase):
    """A member, logged in at one of the servers."""

    def setUp(self):
        self.addCleanup(self.assertNoServerErrors)
        number = next(numbers)
        self.name, self.ip = f"member{number}", f"192.0.2.{number}"
        self.browser = Browser(one.port, self.ip)
        self.assertLeads(self.browser.sign_up(self.name), "/login/")
        self.assertLeads(self.browser.log_in(self.name), "/")

    def assertLeads(self, answer, where):
        self.assertEqual(answer.status, 302)
        self.assertIn(f"Location: {where}", answer.head.decode().split("\r\n"))

    def assertLoggedIn(self, browser):
        answer = browser.get("/account/")
        self.assertEqual(answer.status, 200)
        self.assertIn(f"<h1>{self.name}</h1>".encode(), answer.body)

    def assertLoggedOut(self, browser):
        self.assertLeads(browser.get("/account/"), "/login/?next=/account/")

    def assertNoServerErrors(self):
        for log in folder.iterdir():
            lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
            statuses = [json.loads(line).get("status") for line in lines]
            self.assertIn(200, statuses)
            self.assertNotIn(500, statuses, log.read_text())

    def copy(self, server):
        """Return another browser with the same cookies, at `server`."""
        browser = Browser(server.port, self.ip)
        browser.cookies = dict(self.browser.cookies)
        return browser


class Together(MachinesTestCase):
    def test_logged_in_and_out_at_one_is_in_and_out_at_the_other(self):
        copy = self.copy(other)
        self.assertLoggedIn(copy)
        self.assertLoggedIn(self.browser.at(other))
        self.assertLeads(self.browser.at(one).log_out(), "/")
        self.assertLoggedOut(copy)
        self.assertLoggedOut(copy.at(one))
        self.assertLeads(self.browser.at(other).log_in(self.name), "/")
        self.assertLoggedIn(self.browser.at(one))

    def test_session_begun_at_one_is_listed_and_ended_at_the_other(self):
        phone = Browser(other.port, "198.51.100.1")
        self.assertLeads(phone.log_in(self.name), "/")
        self.assertLoggedIn(phone)
        page = self.browser.get("/account/sessions/").body.decode()
        self.assertIn("198.51.100.1", page)
        self.browser.read_form("/account/sessions/")
        (end,) = re.findall(r'action="(/account/sessions/\w+/end/)"', page)
        self.assertLeads(self.browser.post(end), "/account/sessions/")
        self.assertLoggedOut(phone)
        self.assertLoggedIn(self.browser.at(other))

    def test_wrong_passwords_at_both_count_together(self):
        thief = Browser(one.port, "203.0.113.1")
        statuses = []
        for index in range(11):
            answer = thief.at([one, other][index % 2]).log_in(self.name, "wrong")
            statuses.append(answer.status)
        self.assertEqual(statuses, [200] * 10 + [429])
        for server in [one, other]:
            self.assertEqual(thief.at(server).log_in(self.name).status, 429)


class KilledInAStorm(MachinesTestCase):
    CLIENTS = 8

    def test_every_sign_up_that_was_answered_is_there_once(self):
        doomed = serve("doomed")
        self.promised, self.over = {one: [], doomed: []}, threading.Event()

        def storm(client):
            if client < self.CLIENTS:
                return self.sign_up([one, doomed][client % 2], client)
            return self.kill(doomed)

        with doomed:
            answers = at_once(self.CLIENTS + 1, storm)
        self.assertEqual(answers[1::2], ["no answer"] * (self.CLIENTS // 2))
        self.assertEqual(answers[::2], ["answered to the end"] * (self.CLIENTS // 2) + ["killed"])
        for names in self.promised.values():
            rows = query("SELECT username FROM users_user WHERE username = ANY(%s)", names)
            self.assertEqual(sorted(name for (name,) in rows), sorted(names))
        self.assertLoggedIn(self.browser)

    def sign_up(self, server, client):
        """Sign up one member after another at `server`, and say how that ended."""
        for number in count():
            if self.over.is_set():
                return "answered to the end"
            name = f"storm{client}x{number}"
            try:
                answer = Browser(server.port, f"198.51.{client}.{number}").sign_up(name)
            except OSError:
                return "no answer"
            self.assertLeads(answer, "/login/")
            self.promised[server].append(name)

    def kill(self, doomed):
        try:
            wait_until(lambda: min(map(len, self.promised.values())) >= 4)
            doomed.signal(signal.SIGKILL)
            enough = len(self.promised[one]) + 2 * self.CLIENTS
            wait_until(lambda: len(self.promised[one]) >= enough)
        finally:
            self.over.set()
        return "killed"


class Gone(MachinesTestCase):
    """What the site depends on goes away and comes back, and no web process is started anew."""

    def setUp(self):
        super().setUp()
        processes = self.processes()
        self.addCleanup(lambda: self.assertEqual(self.processes(), processes))

    def processes(self):
        return [server.workers() for server in [one, other]]

    def statuses(self, path):
        """Return how both servers answer the member, each asked twice at the same time."""
        return at_once(4, lambda index: self.copy([one, other][index % 2]).get(path).status)

    def assertHealed(self):
        """Wait until all answers are well; a server's processes find out each for itself."""
        for path in ["/", "/account/", "/readyz"]:
            wait_until(lambda path=path: self.statuses(path) == [200] * 4)


class PostgresGone(Gone):
    def setUp(self):
        super().setUp()
        # Each process has many connections then, of which not one survives.
        at_once(64, lambda index: Client([one, other][index % 2].port).get("/"))
        self.addCleanup(lambda: postgres.answers() or postgres.start())

    def test_pages_and_forms_are_503_meanwhile_and_all_is_well_afterwards(self):
        stranger = Browser(other.port)
        stranger.read_form("/login/")
        postgres.stop()
        fields = {"username": f"{self.name}@example.com", "password": PASSWORD}
        requests = [
            lambda: Client(one.port).get("/healthz"),
            lambda: Client(one.port).get("/readyz"),
            lambda: Client(one.port).get("/"),
            lambda: self.copy(one).get("/account/"),
            lambda: self.copy(other).get("/"),
            lambda: stranger.post("/login/", **fields),
        ]
        alive, ready, *pages = at_once(len(requests), lambda index: requests[index]())
        self.assertEqual((alive.status, ready.status), (200, 503))
        for page in pages:
            self.assertEqual(page.status, 503)
            self.assertIn(b"Retry-After: ", page.head)
            self.assertIn(b"<h1>Out of order</h1>", page.body)
        postgres.start()
        self.assertHealed()
        self.assertLeads(stranger.post("/login/", **fields), "/")

    def test_crash_that_nobody_was_there_to_see(self):
        postgres.stop("immediate")
        postgres.start()
        self.assertHealed()
