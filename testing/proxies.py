"""The proxies of deploy/, as Debian packs them, and browsers that speak TLS with them."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager

from testing.client import Client
from testing.servers import ROOT, SECONDS_TO_START, free_port

PATIENCE = 10  # seconds without an answer, and a visitor goes away
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


def find(program):
    """Return the path of `program`, or None; not everybody's PATH has /usr/sbin."""
    return shutil.which(program, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


class Visitor(Client):
    """A browser that does not wait for long, speaks TLS if `tls`, and takes any certificate."""

    def __init__(self, port, tls=True, patience=PATIENCE):
        super().__init__(port)
        self.tls, self.patience = tls, patience

    def exchange(self, request):
        if self.socket is None:
            self.socket = self.connect()
        return super().exchange(request)

    def connect(self, receive_buffer=None):
        """Return a connection to the port; `receive_buffer` is in bytes."""
        plain = socket.socket()
        plain.settimeout(self.patience)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.connect(("127.0.0.1", self.port))
        return TLS.wrap_socket(plain) if self.tls else plain


class Proxy:
    """A proxy whose configuration, certificate and logs are in `folder`."""

    program = None

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def missing(cls):
        """Return which of the programs that are needed here are not installed."""
        return [name for name in [cls.program, "openssl"] if not find(name)]

    def make_certificate(self):
        openssl = f"{find('openssl')} req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
        subprocess.run(
            [*openssl.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"],
            check=True,
            capture_output=True,
        )

    @contextmanager
    def run(self, upstream):
        """Yield the port of a proxy before the port `upstream`, while the `with` block runs."""
        port = free_port()
        configuration = self.folder / f"{self.program}.conf"
        configuration.write_text(self.configuration(port, upstream))
        with (self.folder / "proxy.log").open("ab") as log:
            process = subprocess.Popen(
                [find(self.program), *self.arguments(configuration)],
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_for(process, port)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def wait_for(self, process, port):
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Not started: {self.logs()}") from None
                time.sleep(0.05)

    def logs(self):
        """Return all that the proxy wrote down."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    @staticmethod
    def shipped(name, **replacements):
        """Return the file `name` of deploy/, with what is different here replaced."""
        text = (ROOT / "deploy" / name).read_text()
        for old, new in replacements.items():
            assert old in text, f"{old} is not in {name} any more"
            text = text.replace(old, new)
        return text


class Caddy(Proxy):
    program = "caddy"

    def arguments(self, configuration):
        return ["run", "--adapter", "caddyfile", "--config", configuration]

    def configuration(self, port, upstream):
        return self.shipped(
            "Caddyfile",
            **{
                "{\n\tlog {": "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {",
                "blog.example {": f"https://127.0.0.1:{port} {{\n"
                f"\ttls {self.folder / 'cert.pem'} {self.folder / 'key.pem'}",
                "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            },
        )


class Nginx(Proxy):
    program = "nginx"

    def arguments(self, configuration):
        return ["-p", self.folder, "-c", configuration]

    def configuration(self, port, upstream):
        site = self.shipped(
            "nginx.conf",
            **{
                "    listen [::]:80;\n": "",
                "    listen [::]:443 ssl http2;\n": "",
                "listen 80;": f"listen 127.0.0.1:{free_port()};",
                "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
                "/etc/letsencrypt/live/blog.example/fullchain.pem": f"{self.folder}/cert.pem",
                "/etc/letsencrypt/live/blog.example/privkey.pem": f"{self.folder}/key.pem",
                "/var/log/nginx": str(self.folder),
                "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            },
        )
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        user = "user root;" if os.geteuid() == 0 else ""
        # Else as in Debian's nginx.conf.
        return f"""
            {user} daemon off; pid {self.folder}/pid; error_log stderr;
            events {{ worker_connections 768; }}
            http {{ {paths} types {{}} default_type text/plain; gzip on; {site} }}
        """
