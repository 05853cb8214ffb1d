"""
A reset link through a forged Host.

Where a link is made of the request's Host header, whoever sends the request chooses where it leads.
The mail is a true one; whoever clicks on it hands the token over. The other site can also be
another port of the same machine, which a list of allowed hosts does not see.

CWE-640: a weak way to recover a password.
"""

from urllib.parse import urlsplit

from attacks import HOLDS, IN_PART, THROUGH, Seen
from testing.client import Client

NEEDS = "reset"
EVIL = "evil.example"


class Forger(Client):
    """Sends `host`, and more header lines, in place of the Host that a browser sends."""

    def __init__(self, target, host, more=""):
        super().__init__(target.port, target.place())
        self.line = f"Host: {host}{more}".encode()

    def request(self, *request):
        return super().request(*request).replace(b"Host: 127.0.0.1", self.line, 1)


def attack(target):
    own = "127.0.0.1"
    ways = [
        (EVIL, "", ""),
        (f"{own}:1", "", ""),
        (f"{own}@{EVIL}", "", ""),
        (own, f"\r\nX-Forwarded-Host: {EVIL}", ""),
        (own, f"\r\nX-Forwarded-Port: 1\r\nForwarded: host={EVIL}", ""),
        (own, "", f"http://{EVIL}"),  # in the request line
    ]
    astray = []
    for host, more, start in ways:
        email, forger = target.member(), Forger(target, host, more)
        honest = target.stranger(forger.ip)
        honest.read_form(target.reset)
        forger.cookies, forger.token = honest.cookies, honest.token
        forger.post(f"{start}{target.reset}", email=email)
        places = {urlsplit(link).netloc for link in target.links(email)}
        astray += places - {own, f"{own}:{target.port}"}
    foreign = [place for place in astray if urlsplit(f"//{place}").hostname != own]
    what = f"{len(astray)} of {len(ways)} links lead astray"
    if astray:
        what += f": to {', '.join(astray)}"
    return Seen(THROUGH if foreign else IN_PART if astray else HOLDS, what)
