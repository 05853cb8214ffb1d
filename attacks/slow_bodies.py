"""
Slow bodies.

Two hundred visitors send the beginning of a form, and never its end. Each holds up the thread or
process that reads the form: two of them stop a server with two workers, and 200 stop any. Nothing
in the app can help that. A proxy in front of it can, which hands on a form once it is here as a
whole. The one that is shipped with this site, nginx as in deploy/, is in front of it here; the
others run as their guides start them, and bring none.

CWE-400: a resource without a bound.
"""

from contextlib import ExitStack
from pathlib import Path

from attacks import HOLDS, NOT_RUN, THROUGH, Seen
from testing.proxies import Nginx, Visitor

MANY, READS = 200, 5
PATIENCE = 3  # seconds that a reader waits
WAYS = [b"Content-Length: 100\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"]


def attack(target):
    with ExitStack() as stack:
        port = target.port
        if target.ours:
            if missing := Nginx.missing():
                return Seen(NOT_RUN, f"not installed: {', '.join(missing)}")
            proxy = Nginx(Path(target.folder))
            proxy.make_certificate()
            port = stack.enter_context(proxy.run(port))

        def visitor():
            return Visitor(port, tls=target.ours, patience=PATIENCE)

        for number in range(MANY):
            connection = stack.enter_context(visitor().connect())
            connection.sendall(head(target, number))
        answered = 0
        while answered < READS and reads(visitor()):
            answered += 1
    what = f"{answered} of {READS} readers of home are answered"
    behind = ", behind nginx as shipped" if target.ours else ", without a proxy"
    return Seen(HOLDS if answered == READS else THROUGH, what + behind)


def head(target, number):
    # Without the cookie, Django would refuse the form before it reads on.
    return (
        f"POST {target.login} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Cookie: csrftoken={'x' * 32}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    ).encode() + WAYS[number % 2]


def reads(visitor):
    try:
        return visitor.get("/").status == 200
    except OSError:
        return False
