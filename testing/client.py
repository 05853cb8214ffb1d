"""Clients that cost next to nothing, since they run on the cores that they measure."""

import re
import socket
import threading
import time
from urllib.parse import urlencode

COOKIE = re.compile(rb"(?im)^set-cookie: *([^=]+)=([^;\r\n]*)")
TOKEN = re.compile(rb'name="(csrf\w+)"[^>]* value="([^"]+)"')
FORM, BOUNDARY = "application/x-www-form-urlencoded", "a line that no file has"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class Answer:
    """What came back: `status` as an int, `head` and `body` as bytes, `seconds` it took."""

    def __init__(self, head, body, seconds):
        self.status = int(head.split(b" ", 2)[1])
        self.head, self.body, self.seconds = head, body, seconds


class Client:
    """A browser at `ip`, as the site's proxy would tell: cookies, and one connection."""

    def __init__(self, port, ip="192.0.2.1"):
        self.port, self.ip = port, ip
        self.cookies, self.socket, self.token = {}, None, None
        self.keep = True  # the connection, from one request to the next

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **fields):
        """Send a form with the CSRF token of the form that was read last."""
        name, value = self.token
        return self.ask("POST", path, urlencode({name: value, **fields}).encode())

    def upload(self, path, field, data, **fields):
        """Send the bytes `data` as the file of `field`, with the rest of a form like `post`."""
        name, value = self.token
        line = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
        parts = [
            f'{line}"{key}"\r\n\r\n{text}\r\n' for key, text in {name: value, **fields}.items()
        ]
        start = "".join([*parts, f'{line}"{field}"; filename="file"\r\n\r\n']).encode()
        body = start + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.ask("POST", path, body, f'multipart/form-data; boundary="{BOUNDARY}"')

    def read_form(self, path):
        """Remember the CSRF token of the form at `path`."""
        self.token = tuple(part.decode() for part in TOKEN.search(self.get(path).body).groups())

    def ask(self, method, path, body=b"", content_type=FORM):
        request = self.request(method, path, body, content_type)
        start = time.perf_counter()
        try:
            answer = self.exchange(request)
        except OSError:
            if method != "GET":
                raise  # it may have been read
            self.socket = None  # the server closed a connection that was kept
            answer = self.exchange(request)
        answer.seconds = time.perf_counter() - start
        for name, value in COOKIE.findall(answer.head):
            self.cookies[name.decode()] = value.decode()
        return answer

    def request(self, method, path, body, content_type):
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value)
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"User-Agent: {BROWSER}",
            f"X-Forwarded-For: {self.ip}",
            *([f"Cookie: {cookies}"] if cookies else []),
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
            *([] if self.keep else ["Connection: close"]),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def exchange(self, request):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        head, _, body = self.receive_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        lower = head.lower()
        length = re.search(rb"content-length: *(\d+)", lower)
        # Without a length it comes in chunks, of which the last is empty.
        while len(body) < int(length[1]) if length else not body.endswith(b"0\r\n\r\n"):
            body += self.receive()
        if b"connection: close" in lower:
            self.socket.close()
            self.socket = None
        return Answer(head, body, 0)

    def receive_until(self, end):
        data = b""
        while end not in data:
            data += self.receive()
        return data

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError("The server closed the connection.")
        return data


def at_once(number, work):
    """Run `work(0)` to `work(number - 1)` in a thread each, and return their results in order."""
    results = [None] * number

    def run(index):
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=[index]) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
