"""
Guesses at one account.

Somebody guesses as fast as the site tests. A login form that answers every guess is a machine for
guessing, which runs all night. bcrypt makes it slow, and that is all: a few hundred a minute are
half a million a day. Counting wrong passwords per email and place ends it after ten.

CWE-307: authentication attempts without a limit.
"""

from attacks import HOLDS, THROUGH, Seen

GUESSES, LIMIT = 30, 10


def attack(target):
    email, place = target.member(), target.place()
    return verdict(target.guess([(place, email)] * target.tries(GUESSES)), LIMIT)


def verdict(guessed, limit):
    """Return what was Seen of the `guessed`, of which `limit` may be tested."""
    number, hashed, statuses, seconds = guessed
    ended = statuses[429]
    what = f"{hashed} of {number} tested" + (f", {ended} × 429" if ended else "")
    held = ended and hashed <= limit and hashed + ended == number
    return Seen(HOLDS if held else THROUGH, what, {"tested": hashed, "in": seconds})


def judge(seen):
    if seen.verdict == HOLDS:
        return seen
    rate = seen.seconds["tested"] / seen.seconds["in"] * 60
    return seen._replace(what=f"{seen.what}, {rate:.0f} a minute")
