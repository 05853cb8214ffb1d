"""The site behind the proxies of deploy/, and visitors slow on purpose."""

import difflib
import socket
import ssl
import tempfile
import time
from pathlib import Path
from unittest import SkipTest

from django.test import SimpleTestCase, tag

from testing import proxies
from testing.client import BROWSER
from testing.proxies import PATIENCE, Visitor
from testing.servers import ROOT, Server, free_port, manage, site_environment

MANY = 200  # several times as many as the site has threads
SECRET = "secret-token"


class ProxyTests:
    """What both have to do. `kind` is which of `testing.proxies`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if missing := cls.kind.missing():
            raise SkipTest(f"Not installed: {', '.join(missing)}")
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        environment = site_environment(
            f"sqlite:///{cls.folder / 'site.sqlite3'}",
            STATIC_ROOT=str(cls.folder / "static"),
            SECURE_SSL="true",
            SECURE_PROXY_SSL="true",
        )
        manage(environment, "migrate", "--verbosity=0")
        manage(environment, "collectstatic", "--noinput", "--verbosity=0")
        cls.proxy = cls.kind(cls.folder)
        cls.proxy.make_certificate()
        server = Server(environment, log=cls.folder / "log")
        cls.site = cls.enterClassContext(server)
        cls.port = cls.enterClassContext(cls.proxy.run(cls.site.port))

    def bystander(self):
        """Return the status with which `/` is answered, or None after too long a wait."""
        try:
            return Visitor(self.port).get("/").status
        except TimeoutError:
            return None

    def slow(self, first):
        """Return connections that have sent `first(number)`, open until the test is over."""
        connections = []
        for number in range(MANY):
            connection = Visitor(self.port).connect(receive_buffer=1024)
            self.addCleanup(connection.close)
            connection.sendall(first(number))
            connections.append(connection)
        return connections

    def test_slow_bodies_hold_up_nobody(self):
        # Without cookie and Referer the site would refuse the form before it reads on.
        lines = [
            "POST /login/ HTTP/1.1",
            "Host: 127.0.0.1",
            "Connection: close",
            "Referer: https://127.0.0.1/login/",
            f"Cookie: __Host-csrftoken={'x' * 32}",
            "Content-Type: application/x-www-form-urlencoded",
        ]
        ways = [
            ("Content-Length: 100", "x", "x"),
            ("Transfer-Encoding: chunked", "1\r\nx\r\n", "1\r\nx\r\n"),
        ]

        def first(number):
            header, byte, _ = ways[number % 2]
            return "\r\n".join([*lines, header, "", byte]).encode()

        connections = self.slow(first)
        for _ in range(5):
            self.assertEqual(self.bystander(), 200)
            for number, connection in enumerate(connections):
                connection.sendall(ways[number % 2][2].encode())
        # They are what they look like: the site answers as soon as it has one of them whole.
        connections[0].sendall(b"x" * 94)
        connections[1].sendall(b"0\r\n\r\n")
        for connection in connections[:2]:
            self.assertIn(b"HTTP/1.1 403", connection.recv(100))

    def test_slow_headers_hold_up_nobody_and_are_given_up(self):
        connections = self.slow(lambda number: b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        self.assertEqual([self.bystander() for _ in range(5)], [200] * 5)
        deadline = time.monotonic() + 30  # seconds; both are told to wait for 10
        while connections and time.monotonic() < deadline:
            time.sleep(0.5)
            connections = [connection for connection in connections if self.sends(connection)]
        self.assertEqual(len(connections), 0)

    def sends(self, connection):
        """Send a byte of the header; return whether the other end is still there."""
        connection.settimeout(0.001)
        try:
            connection.sendall(b"x")
            return bool(connection.recv(100))
        except TimeoutError:
            return True
        except OSError:
            return False

    def test_slow_readers_hold_up_nobody(self):
        files = [path for path in (self.folder / "static").rglob("*.*") if path.is_file()]
        largest = max(files, key=lambda path: path.stat().st_size)
        path = f"/static/{largest.relative_to(self.folder / 'static')}"
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        self.slow(lambda number: request)
        self.assertEqual([self.bystander() for _ in range(5)], [200] * 5)

    def ask(self, path, *headers, port=None):
        connection = Visitor(port or self.port).connect()
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
        connection.sendall("\r\n".join([*lines, f"User-Agent: {BROWSER}", "", ""]).encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
        connection.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.decode().lower(), body

    def test_pages_are_compressed_for_who_can_read_it(self):
        plain_head, plain = self.ask("/")
        self.assertNotIn("content-encoding", plain_head)
        head, body = self.ask("/", "Accept-Encoding: gzip")
        self.assertIn("content-encoding: gzip", head)
        self.assertIn("vary: accept-encoding", head.replace("cookie, ", ""))
        self.assertLess(len(body) * 2, len(plain))

    def test_http_2_is_spoken(self):
        context = ssl.create_default_context(cafile=self.folder / "cert.pem")
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            self.assertEqual(connection.selected_alpn_protocol(), "h2")

    def test_answers_name_no_version_of_any_server(self):
        head, _ = self.ask("/")
        self.assertNotRegex(head, r"gunicorn|server: .*\d")

    def test_no_token_is_in_a_log(self):
        with self.proxy.run(free_port()) as to_nobody:
            for port in [self.port, to_nobody]:
                for path in [
                    f"/password-reset/MQ/{SECRET}",  # which leads to the one with the last "/"
                    f"/password-reset/MQ/{SECRET}/",
                    f"/account/email/confirm/{SECRET}",
                    f"/account/email/confirm/{SECRET}/",
                    f"/account/?token={SECRET}",
                ]:
                    referer = f"Referer: https://127.0.0.1/account/email/confirm/{SECRET}/"
                    self.ask(path, referer, f"Cookie: sessionid={SECRET}", port=port)
        logs = self.proxy.logs()
        self.assertIn("/password-reset/MQ/", logs)
        self.assertNotIn(SECRET, logs)


@tag("slow")
class Caddy(ProxyTests, SimpleTestCase):
    kind = proxies.Caddy


@tag("slow")
class Nginx(ProxyTests, SimpleTestCase):
    kind = proxies.Nginx


class OfContainers(SimpleTestCase):
    def test_caddyfile_differs_in_names_and_in_how_newer_versions_buffer(self):
        one, other = (
            (ROOT / "deploy" / name).read_text().splitlines()
            for name in ["Caddyfile", "Caddyfile.container"]
        )
        changes = [line for line in difflib.ndiff(one, other) if line[0] in "+-"]
        changed = [" ".join(line.split()) for line in changes if "#" not in line]
        self.assertCountEqual(
            changed,
            [
                *["- blog.example {", "+ {$SITE_HOST} {"],
                *["- reverse_proxy 127.0.0.1:8000 {", "+ reverse_proxy site:8000 {"],
                *["- buffer_requests", "- max_buffer_size 7MB", "+ request_buffers 7MB"],
            ],
        )
