"""
`python -m bench.cpu`: what a page of the site costs in one process, without a web server.

In ms of CPU, the least of several rounds; and in calls of functions, which are the same on a busy
machine. With --profile and a page, where they are.
"""

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from contextlib import redirect_stderr
from wsgiref.util import setup_testing_defaults

from bench.sites import POSTS, collect_static, fill
from testing.servers import site_environment

PAGES = {
    "healthz": "/healthz",
    "About": "/about/",
    "login form": "/login/",
    "home": "/",
    "a post": f"/post/{POSTS}/",
    "an author": "/user/user0/",
    "home, member": "/",
    "account": "/account/",
}
OF_MEMBERS = ["home, member", "account"]
ROUNDS, REPEATS = 5, 100


def load(folder):
    """Return `ask(page)`, which lets the site answer a page, on a database in `folder`."""
    url = f"sqlite:///{folder}/cpu.sqlite3"
    collect_static()
    fill(url)
    os.environ.update(site_environment(url))
    from django.conf import settings
    from django.test import Client

    from blog_project.wsgi import application
    from users.models import User

    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    client.force_login(User.objects.get(username="user1"))
    session = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"

    def ask(page):
        environ = {"PATH_INFO": PAGES[page], "REMOTE_ADDR": "192.0.2.1"}
        if page in OF_MEMBERS:
            environ["HTTP_COOKIE"] = session
        setup_testing_defaults(environ)
        answers = []
        response = application(environ, lambda status, headers, _=None: answers.append(status))
        b"".join(response)
        response.close()
        if answers != ["200 OK"]:
            raise RuntimeError(f"{page} answered {answers}.")

    return ask


def profile(ask, page):
    """Return the statistics of `REPEATS` answers."""
    profiler = cProfile.Profile()
    with profiler:
        for _ in range(REPEATS):
            ask(page)
    return pstats.Stats(profiler)


def milliseconds(ask, page):
    """Return the ms of CPU that an answer takes, the least of all rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(REPEATS):
            ask(page)
        rounds.append((time.process_time() - start) * 1000 / REPEATS)
    return min(rounds)


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.cpu", description=__doc__)
    parser.add_argument("--profile", choices=PAGES, metavar="PAGE", help=", ".join(PAGES))
    options = parser.parse_args()
    # The site logs each request on standard error.
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as log,
        redirect_stderr(log),
    ):
        ask = load(folder)
        for page in [options.profile] if options.profile else PAGES:
            for _ in range(20):  # warm up
                ask(page)
            stats = profile(ask, page)
            if options.profile:
                stats.sort_stats("cumulative").print_stats(60)
            else:
                took = milliseconds(ask, page)
                print(f"{page:14}{took:6.2f} ms{stats.total_calls // REPEATS:8,} calls", flush=True)


if __name__ == "__main__":
    main()
