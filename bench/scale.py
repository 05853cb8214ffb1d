"""
What a million members, sessions and posts cost: the same requests on a small and a large site.

`python -m bench.scale` is one process on one database, which fills it or measures it, so that the
small and the large one can take turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from bench.content import PASSWORD
from testing.servers import ROOT, UNLIMITED, site_environment

REPEATS = 30
CHEAP_ROUNDS = 4  # of bcrypt, or its quarter of a second would hide all else


def measure():
    """Return {what: median milliseconds} on the database that is there."""
    from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
    from django.test import Client

    from users.models import User

    BCryptSHA256PasswordHasher.rounds = CHEAP_ROUNDS
    carol, _ = User.objects.get_or_create(
        username="carol", email="carol@example.org", is_staff=True, is_superuser=True
    )
    one = User.objects.get(username="member500")
    one.set_password(PASSWORD)
    one.save()
    member, stranger, reader = Client(), Client(), Client()
    member.force_login(carol)
    login = {"username": one.email, "password": PASSWORD}

    def log_in():
        stranger.cookies.clear()
        return stranger.post("/login/", login)

    taken = {"username": one.username, "email": one.email}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    users = "/admin/users/user/"
    return {
        "sign-up check": timed(lambda: stranger.post("/register/", {**taken, **passwords})),
        "login": timed(log_in, 302),
        "session read": timed(lambda: member.get("/about/")),
        "home": timed(lambda: reader.get("/")),
        "a post": timed(lambda: reader.get("/post/50/")),
        "an author": timed(lambda: reader.get("/user/member5/")),
        "a month": timed(lambda: reader.get("/archive/2025/12/")),
        "page 1,000": timed(lambda: reader.get("/?page=1000"), None),
        "admin: users": timed(lambda: member.get(users), repeats=5),
        "admin: search": timed(lambda: member.get(f"{users}?q={one.email}"), repeats=5),
        "admin: one user": timed(lambda: member.get(f"{users}{one.pk}/change/"), repeats=5),
    }


def timed(ask, status=200, repeats=REPEATS):
    """Return the median milliseconds of `ask`, whose answer has to have `status` unless None."""
    milliseconds = []
    for _ in range(2 * repeats):
        start = time.perf_counter()
        answer = ask()
        milliseconds.append((time.perf_counter() - start) * 1000)
        if status and answer.status_code != status:
            raise RuntimeError(f"{answer.request['PATH_INFO']} answered {answer.status_code}.")
    return statistics.median(milliseconds[repeats:])  # the others warm up


def compare(folder, postgresql, name, many, turns):
    """
    Return {what: median milliseconds} with few rows and with `many`, on the database `name`.

    Both are measured `turns` times in turn, in processes of their own.
    """
    sites = []
    for size, members, posts in [("few", 1_000, 100), ("many", many, many)]:
        url = f"sqlite:///{folder}/{size}.sqlite3"
        if name == "PostgreSQL":
            url = postgresql.create(size)
        environment = site_environment(url, **UNLIMITED)
        run(environment, "--fill", str(members), str(posts))
        sites.append((environment, []))
    for _ in range(turns):
        for environment, seen in sites:
            seen.append(json.loads(run(environment)))
    return [
        {what: statistics.median(turn[what] for turn in seen) for what in seen[0]}
        for _, seen in sites
    ]


def run(environment, *options):
    command = [sys.executable, "-m", "bench.scale", *options]
    return subprocess.check_output(
        command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, text=True
    )


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--fill", nargs=2, type=int, metavar=("MEMBERS", "POSTS"))
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "blog_project.settings"
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    if options.fill:
        from bench import fill

        fill.rows(*options.fill)
    else:
        json.dump(measure(), sys.stdout)


if __name__ == "__main__":
    main()
