"""
A code used twice.

A code of an app is good for half a minute or more, so that one who has the password and is quick
gets in with the same code, unless each counts once. And of eight who come with one code at the same
moment, one gets in, or the code was looked up and then marked as used, with time in between.

CWE-294: what was overheard is played again.
"""

from attacks import HOLDS, THROUGH, Seen
from testing.client import at_once

NEEDS = "factors"
CLIENTS = 4


def attack(target):
    email = target.member()
    app, codes = target.give_factors(email)
    # One after the other, then all at once: an app's code, and a recovery code.
    first, race = [app(), codes[0]], [app(1), codes[1]]
    inside = [[use(target, half_login(target, email), code) for _ in range(2)] for code in first]
    for code in race:
        clients = [half_login(target, email) for _ in range(CLIENTS)]
        inside.append(
            at_once(CLIENTS, lambda index, c=clients, code=code: use(target, c[index], code))
        )
    times = [sum(each) for each in inside]
    held = times == [1] * len(times)
    return Seen(HOLDS if held else THROUGH, f"{len(times)} codes let in {times} times")


def half_login(target, email):
    client = target.stranger()
    target.log_in(client, email)
    client.read_form("/login/verify/")
    return client


def use(target, client, code):
    client.post("/login/verify/", code=code)
    return target.is_in(client)
