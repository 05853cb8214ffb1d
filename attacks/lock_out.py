"""
Hammering a member so that she cannot log in.

Somebody sends wrong passwords for her email from everywhere. That is the price of limits: a site
that locks an account after some wrong passwords lets anybody lock it who knows the email. A site
without limits cannot be abused this way. Here her usual places are counted apart, and a reset by
mail opens any other place.

CWE-645: a lockout that is too strict.
"""

from attacks import HOLDS, IN_PART, THROUGH, Seen
from attacks.target import NEW_PASSWORD


def attack(target):
    email, usual, new = target.member(), target.place(), target.place()
    target.logged_in(email, place=usual)
    places = [target.place() for _ in range(11)]
    guesses = target.tries(110)
    number, hashed, *_ = target.guess((places[index % 11], email) for index in range(guesses))
    client = target.stranger(usual)
    target.log_in(client, email)
    at_usual = target.is_in(client)
    client = target.stranger(new)
    target.log_in(client, email)
    at_new = after_reset = target.is_in(client)
    if not at_new and "reset" in target.has:
        target.ask_reset(client, email)
        target.use_reset(client, target.reset_link(email))
        target.log_in(client, email, NEW_PASSWORD)
        after_reset = target.is_in(client)
    what = f"{number} guesses, {hashed} tested; she gets in at her usual place"
    if not (at_usual and after_reset):
        return Seen(THROUGH, f"{number} guesses, and she does not get in")
    if not at_new:
        return Seen(IN_PART, f"{what}, elsewhere after a reset by mail")
    return Seen(HOLDS, f"{what} and elsewhere")
