"""The site behind the proxies of deploy/, as Debian packs them, and visitors slow on purpose."""

import difflib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import SkipTest

from django.test import SimpleTestCase, tag

from testing.client import BROWSER, Client
from testing.servers import ROOT, SECONDS_TO_START, Server, free_port, manage, site_environment

MANY = 200  # several times as many as the site has threads
SECONDS = 10  # without an answer, and a bystander goes away
SECRET = "secret-token"
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


def find(program):
    """Return the path of `program`, or None; not everybody's PATH has /usr/sbin."""
    return shutil.which(program, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


class Visitor(Client):
    """A browser that speaks TLS, and takes any certificate."""

    def exchange(self, request):
        if self.socket is None:
            self.socket = self.connect()
        return super().exchange(request)

    def connect(self, receive_buffer=None):
        """Return a connection to the proxy; `receive_buffer` is in bytes."""
        plain = socket.socket()
        plain.settimeout(SECONDS)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.connect(("127.0.0.1", self.port))
        return TLS.wrap_socket(plain)


class ProxyTests:
    """What both have to do. `program` is its name, and `configuration` one of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if absent := [name for name in [cls.program, "openssl"] if not find(name)]:
            raise SkipTest(f"Not installed: {', '.join(absent)}")
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        environment = site_environment(
            f"sqlite:///{cls.folder / 'site.sqlite3'}",
            STATIC_ROOT=str(cls.folder / "static"),
            SECURE_SSL="true",
            SECURE_PROXY_SSL="true",
        )
        manage(environment, "migrate", "--verbosity=0")
        manage(environment, "collectstatic", "--noinput", "--verbosity=0")
        openssl = f"{find('openssl')} req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
        subprocess.run(
            [*openssl.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", cls.folder / "key.pem", "-out", cls.folder / "cert.pem"],
            check=True,
            capture_output=True,
        )
        server = Server(environment, log=cls.folder / "log")
        cls.site = cls.enterClassContext(server)
        cls.port = cls.enterClassContext(cls.proxy(cls.site.port))

    @classmethod
    @contextmanager
    def proxy(cls, upstream):
        """Yield the port of a proxy that runs while the `with` block does."""
        port = free_port()
        configuration = cls.folder / f"{cls.program}.conf"
        configuration.write_text(cls.configuration(port, upstream))
        with (cls.folder / "proxy.log").open("ab") as log:
            process = subprocess.Popen(
                [find(cls.program), *cls.arguments(configuration)],
                env={"PATH": os.environ["PATH"], "HOME": str(cls.folder)},
                stdout=log,
                stderr=log,
            )
        try:
            cls.wait_for(process, port)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    @classmethod
    def wait_for(cls, process, port):
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Not started: {cls.logs()}") from None
                time.sleep(0.05)

    @classmethod
    def logs(cls):
        """Return all that the proxy wrote down."""
        return "".join(path.read_text() for path in sorted(cls.folder.glob("*.log")))

    @staticmethod
    def shipped(name, **replacements):
        """Return the file `name` of deploy/, with what is different here replaced."""
        text = (ROOT / "deploy" / name).read_text()
        for old, new in replacements.items():
            assert old in text, f"{old} is not in {name} any more"
            text = text.replace(old, new)
        return text

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
            socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            self.assertEqual(connection.selected_alpn_protocol(), "h2")

    def test_answers_name_no_version_of_any_server(self):
        head, _ = self.ask("/")
        self.assertNotRegex(head, r"gunicorn|server: .*\d")

    def test_no_token_is_in_a_log(self):
        with self.proxy(free_port()) as to_nobody:
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
        logs = self.logs()
        self.assertIn("/password-reset/MQ/", logs)
        self.assertNotIn(SECRET, logs)


@tag("slow")
class Caddy(ProxyTests, SimpleTestCase):
    program = "caddy"

    @staticmethod
    def arguments(configuration):
        return ["run", "--adapter", "caddyfile", "--config", configuration]

    @classmethod
    def configuration(cls, port, upstream):
        return cls.shipped(
            "Caddyfile",
            **{
                "{\n\tlog {": "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {",
                "blog.example {": f"https://127.0.0.1:{port} {{\n"
                f"\ttls {cls.folder / 'cert.pem'} {cls.folder / 'key.pem'}",
                "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            },
        )


@tag("slow")
class Nginx(ProxyTests, SimpleTestCase):
    program = "nginx"

    @classmethod
    def arguments(cls, configuration):
        return ["-p", cls.folder, "-c", configuration]

    @classmethod
    def configuration(cls, port, upstream):
        site = cls.shipped(
            "nginx.conf",
            **{
                "    listen [::]:80;\n": "",
                "    listen [::]:443 ssl http2;\n": "",
                "listen 80;": f"listen 127.0.0.1:{free_port()};",
                "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
                "/etc/letsencrypt/live/blog.example/fullchain.pem": f"{cls.folder}/cert.pem",
                "/etc/letsencrypt/live/blog.example/privkey.pem": f"{cls.folder}/key.pem",
                "/var/log/nginx": str(cls.folder),
                "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            },
        )
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        paths = "".join(f"{kind}_temp_path {cls.folder}/{kind};\n" for kind in kinds)
        user = "user root;" if os.geteuid() == 0 else ""
        # Else as in Debian's nginx.conf.
        return f"""
            {user} daemon off; pid {cls.folder}/pid; error_log stderr;
            events {{ worker_connections 768; }}
            http {{ {paths} types {{}} default_type text/plain; gzip on; {site} }}
        """


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
