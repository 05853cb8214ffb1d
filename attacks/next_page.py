"""
A `next` that leads off the site.

The link is the site's own, the login is real, and then the browser stands on a page that looks the
same and says “wrong password, please try again”. The tutorial's code leads wherever `next` says;
the app here has the check that Flask-Login's guide asks for. Browsers read a backslash as a slash,
and leave out tabs and line ends, which a check that only looks at the beginning does not know.

CWE-601: an open redirect.
"""

import re
from urllib.parse import quote, urljoin, urlsplit

from attacks import HOLDS, THROUGH, Seen
from attacks.target import location

EVIL = "evil.example"
NEXT = [
    f"https://{EVIL}/",
    f"//{EVIL}/",
    f"///{EVIL}/",
    f"/\\{EVIL}/",
    f"\\\\{EVIL}/",
    f"/\t/{EVIL}/",
    f"https:{EVIL}/",
    f"http://127.0.0.1@{EVIL}/",
    "javascript:alert(1)",
]


def attack(target):
    off = []
    for url in [*NEXT, "/about/"]:
        answer = target.log_in(target.stranger(), target.member(), query=f"?next={quote(url)}")
        if answer.status >= 500 or leads_off(location(answer)):
            off.append(url)
    if location(answer) != "/about/":
        raise RuntimeError(f"{target.name}: `next` leads nowhere.")
    return Seen(THROUGH if off else HOLDS, f"{len(off)} of {len(NEXT)} lead off the site")


def leads_off(url):
    """Return whether a browser on the site would leave it for `url`."""
    url = re.sub(r"[\t\r\n]", "", url).replace("\\", "/")
    url = re.sub(r"^https:/*|^/{2,}", "//", url)
    parts = urlsplit(urljoin("http://127.0.0.1/login/", url))
    return parts.hostname != "127.0.0.1" or parts.scheme not in ("http", "https")
