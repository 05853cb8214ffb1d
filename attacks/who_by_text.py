"""
Who has an account, by text.

A login that says “no such email”, a reset that says the same, or a sign-up that says “taken” tells
anybody which of a million emails have an account here: the list to guess passwords of, and to send
false mails to. The sign-up has to say something to an honest visitor. So it says it a few times an
hour to one place, and that much gets through.

CWE-204: the answer tells.
"""

from attacks import HOLDS, IN_PART, THROUGH, Seen
from attacks.target import location
from testing.client import TOKEN

ASKED, LIMIT = 30, 20


def attack(target):
    forms = {"login": lambda client, email: target.log_in(client, email, "a wrong one")}
    if "reset" in target.has:
        forms["reset"] = target.ask_reset
    telling = []
    for form, ask in forms.items():
        pages = [
            page(ask(target.stranger(), email), email)
            for email in [target.member(), f"no{form}@example.com"]
        ]
        if pages[0] != pages[1]:
            telling.append(form)
    client = target.stranger()
    answers = [
        target.register(client, username=f"asks{number}", email=f"user{number}@example.com")
        for number in range(ASKED)
    ]
    told = sum(b"email is taken" in answer.body for answer in answers)
    what = f"told at the sign-up: {told} of {ASKED} emails from one place"
    what += "".join(f", at the {form}: {form in telling and 'yes' or 'nothing'}" for form in forms)
    if telling or told > LIMIT:
        return Seen(THROUGH, what)
    return Seen(IN_PART if told else HOLDS, what)


def page(answer, email):
    """Return all of an answer that could tell something, without what is another each time."""
    text = TOKEN.sub(b"", answer.body).replace(email.encode(), b"")
    return answer.status, location(answer), text
