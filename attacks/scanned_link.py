"""
A link that a mail scanner opens.

Companies and mail providers follow links, and some press the buttons behind them. A link that acts
as soon as it is opened confirms a stranger's email, or is used up when its owner comes. So opening
a link changes nothing, and to confirm an email takes more than the link.

CWE-650: a GET that changes something.
"""

from urllib.parse import urlsplit

from attacks import HOLDS, THROUGH, Seen
from attacks.target import NEW_PASSWORD, location

NEEDS = "reset"


def attack(target):
    who = {"username": "scanned", "email": "scanned@example.com"}
    target.register(target.stranger(), **who)
    email = who["email"]
    target.ask_reset(target.stranger(), email)
    before = state(target, email)
    links = [urlsplit(link).path or "/" for link in target.links(email)]
    for link in links:
        scan(target, link)
    changed = state(target, email) != before
    target.use_reset(target.stranger(), target.reset_link(email))
    client = target.stranger()
    target.log_in(client, email, NEW_PASSWORD)
    works = target.is_in(client)
    what = f"links opened: {len(links)}, {'something' if changed else 'nothing'} changed"
    what += f", the reset {'works' if works else 'is dead'} afterwards"
    return Seen(THROUGH if changed or not works else HOLDS, what)


def state(target, email):
    columns = "password, email, email_confirmed_at" if target.ours else "password, email"
    return target.rows(f"SELECT {columns} FROM {{users}} WHERE email = ?", email)


def scan(target, link):
    """Open `link`, and what it leads to, and press the button there."""
    scanner = target.stranger()
    answer = scanner.get(link)
    path = location(answer) or link
    scanner.get(path)
    try:
        scanner.read_form(path)
    except AttributeError:  # no form
        return
    scanner.post(path)
