"""
A guess of 73 bytes against a bcrypt hash.

bcrypt reads 72 bytes. Older versions of it cut off the rest in silence, so that whoever knew the
first 72 was in; bcrypt 5 raises ValueError instead. An app that hands it whatever was typed answers
that with a 500, to a member who signs up with a long sentence, and at the login wherever the email
has an account. Hashing SHA-256 of the password with bcrypt lets every byte count.

CWE-187: only a part of what was typed is compared.
"""

import bcrypt

from attacks import HOLDS, THROUGH, Seen

LONG = "correct horse battery staple, correct horse battery staple: 72 bytes of "
assert len(LONG) == 72


def attack(target):
    known = ["long@example.com"]
    target.register(target.stranger(), username="long", email=known[0], password=LONG)
    if target.ours:  # a hash of plain bcrypt as well, as it comes from the tutorial's app
        known.append(target.member())
        encoded = "bcrypt$" + bcrypt.hashpw(LONG.encode(), bcrypt.gensalt(12)).decode()
        target.rows("UPDATE {users} SET password = ? WHERE email = ?", encoded, known[1])
    inside, statuses = 0, []
    for email in [*known, "nobody@example.com"]:
        for more in ["x", "x" * 928]:
            client = target.stranger()
            statuses.append(target.log_in(client, email, LONG + more).status)
            inside += target.is_in(client)
    new = {"username": "longer", "email": "longer@example.com", "password": LONG + "x"}
    statuses.append(target.register(target.stranger(), **new).status)
    for email in [] if inside else known:  # or nobody could log in, and nothing was shown
        target.logged_in(email, LONG)
    errors = sum(status >= 500 for status in statuses)
    verdict = THROUGH if inside or errors else HOLDS
    return Seen(verdict, f"{inside} let in, {errors} × 5xx of {len(statuses)}")
