"""
A storm of right logins, and somebody else who logs in.

Sixty people at one place log in rightly, again and again. Right passwords are no guesses, and no
limit on failures counts them. They fill every queue there is, and a bystander waits at its end, for
as long as the crowd is large. Where the queue is bounded, and one place gets at most a part of it,
the rest of the crowd is told to come back later, and the wait has an end.

CWE-410: a pool that one can use up.
"""

import threading
import time

from attacks import HOLDS, THROUGH, Seen
from attacks.target import PASSWORD
from testing.client import at_once

CROWD = 60  # more than the places that one network gets in the queues
PAUSE = 0.5  # seconds until who was told to come back later does: this is no flood


def attack(target):
    place, over, before = target.place(), threading.Event(), target.hashes()
    crowd, refused = target.tries(CROWD), []

    def log_in(index):
        if index == crowd:
            try:
                return bystander()
            finally:
                over.set()
        client = target.stranger(place)
        client.read_form(target.login)
        cookies = dict(client.cookies)
        fields = {target.site.email_field: f"user{index}@example.com", "password": PASSWORD}
        while not over.is_set():
            if client.post(target.login, **fields).status == 503:
                refused.append(index)
                over.wait(PAUSE)
            client.cookies = dict(cookies)

    def bystander():
        while target.hashes() < before + 12:  # the crowd is there
            over.wait(0.05)
        client, then, start = target.stranger(), target.hashes(), time.monotonic()
        status = target.log_in(client, target.member()).status
        return status, target.hashes() - then, time.monotonic() - start

    status, hashed, seconds = at_once(crowd + 1, log_in)[crowd]
    what = f"answered {status} after {hashed} passwords of a crowd of {crowd}"
    what += f", who were told to wait {len(refused)} times" if refused else ""
    held = status == 302 and hashed < crowd
    return Seen(HOLDS if held else THROUGH, what, {"waited": seconds})


def judge(seen):
    return seen._replace(what=f"{seen.what}, {seen.seconds['waited']:.1f} s")
