"""The three sites that are measured: ours, and its peers, each filled and started alike."""

import os
import subprocess
import sys
from contextlib import contextmanager
from functools import cache

from bench.content import PASSWORD
from testing.client import Client
from testing.servers import ROOT, UNLIMITED, Server, manage, site_environment

PEOPLE, POSTS = 200, 100
# A peer under the server that the site has.
LIKE_OURS = ["--worker-class=gthread", "--threads=48", "--keep-alive=75"]


class Site:
    """A site that runs: where its pages are, and what its login form calls the e-mail."""

    def __init__(self, server, name, slash="/", email_field="username"):
        self.server, self.port, self.name = server, server.port, name
        self.login = f"/login{slash}"
        self.paths = {  # and whether they are asked for by a member
            "home": ("/", False),
            "About": (f"/about{slash}", False),
            "login form": (self.login, False),
            "account": (f"/account{slash}", True),
            "a post": (f"/post/{POSTS}{slash}", False),
            "an author": (f"/user/user0{slash}", False),
        }
        self.email_field, self.members = email_field, []

    def member(self, number):
        """Return a Client that is logged in."""
        client = Client(self.port, ip=f"198.51.{number}.8")
        client.read_form(self.login)
        # One of the last: SQLAlchemy finds the authors of a page without another query.
        fields = {self.email_field: f"user{PEOPLE - 1 - number}@example.com", "password": PASSWORD}
        if client.post(self.login, **fields).status != 302:
            raise RuntimeError(f"{self.name}: the login failed.")
        return client


@cache
def collect_static():
    manage(site_environment("sqlite://:memory:"), "collectstatic", "--noinput", "--verbosity=0")


@cache
def fill(database_url):
    environment = site_environment(database_url)
    manage(environment, "migrate", "--verbosity=0")
    people = f"from bench import fill; fill.people({PEOPLE}, {POSTS})"
    manage(environment, "shell", "--verbosity=0", "--command", people)


@contextmanager
def ours(folder, database_url=None, *, workers=2, cpus=None, limits=UNLIMITED, **environment):
    """Run the site on a database of its own, SQLite unless `database_url` says otherwise."""
    database_url = database_url or f"sqlite:///{folder}/ours.sqlite3"
    environment = site_environment(
        database_url, WEB_CONCURRENCY=str(workers), **limits, **environment
    )
    collect_static()
    fill(database_url)
    with Server(environment, log=f"{folder}/ours{cpus or ''}.log", cpus=cpus) as server:
        yield Site(server, "ours")


@contextmanager
def peer(folder, name, app, like_ours, environment, **site):
    """
    Run a peer under gunicorn with two sync workers, as its guide says; or as the site runs.

    It is called `name`, in the second case with "like ours" behind it.
    """
    database, log = f"{folder}/{name}.sqlite3", f"{folder}/{name}{'-like-ours' * like_ours}.log"
    environment = {"PATH": os.environ["PATH"], "DATABASE": database, **environment}
    if not os.path.exists(database):
        seed = [sys.executable, "-m", f"bench.{name}_peer.seed", f"--users={PEOPLE}"]
        seed = [*seed, f"--posts={POSTS}"]
        subprocess.run(seed, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    # Not the site's gunicorn.conf.py.
    arguments = ["--config=/dev/null", "--workers=2", "--no-control-socket", app]
    if like_ours:
        arguments += LIKE_OURS
        name = f"{name} like ours"
    with Server(environment, *arguments, log=log) as server:
        yield Site(server, name, **site)


def flask(folder, like_ours=False, **environment):
    site = {"slash": "", "email_field": "email"}
    return peer(folder, "flask", "bench.flask_peer:app", like_ours, environment, **site)


def stock(folder, like_ours=False, **environment):
    return peer(folder, "stock", "bench.stock_peer.wsgi", like_ours, environment)
