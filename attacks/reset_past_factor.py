"""
A reset past the second factor.

Whoever reads a member's mail sets a new password. Where the reset logs in at once, or removes the
factors to be kind, the second factor was one in name alone: the mailbox is all that it takes.

CWE-288: another way around the login.
"""

from attacks import HOLDS, THROUGH, Seen
from attacks.target import NEW_PASSWORD

NEEDS = "factors"


def attack(target):
    email, thief = target.member(), target.stranger()
    app, _ = target.give_factors(email)
    target.ask_reset(thief, email)
    target.use_reset(thief, target.reset_link(email))
    inside = target.is_in(thief)
    target.log_in(thief, email, NEW_PASSWORD)
    inside |= target.is_in(thief)
    if inside:
        return Seen(THROUGH, "let in")
    for code in ["000000", "A" * 24, ""]:
        target.give_code(thief, code)
        inside |= target.is_in(thief)
    target.give_code(thief, app())  # with the factor it is a login, or nothing was shown here
    if not target.is_in(thief):
        raise RuntimeError("The owner does not get in either.")
    return Seen(THROUGH if inside else HOLDS, "let in" if inside else "asked for the factor")
