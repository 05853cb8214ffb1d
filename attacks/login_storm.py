"""
A storm of logins, and somebody who reads the home page.

Sixteen people log in again and again, rightly, and somebody else only wants to read the home
page. bcrypt takes a quarter of a second of a core. In the threads or processes that answer pages,
two logins at a time are all that such a site does: the reader waits behind everybody. Hashed in a
queue of their own, at a lower priority, the logins wait for each other and the pages for nobody.

CWE-400: a resource without a bound.
"""

from attacks import HOLDS, THROUGH, Seen
from bench import storms

CLIENTS, SECONDS = 16, 4
MOST = 500  # ms that the home page may take


def attack(target):
    storm = storms.storm(target.site, CLIENTS, SECONDS, storms.log_in)
    what = f"{storm.errors} errors of readers and logins"
    return Seen(THROUGH if storm.errors else HOLDS, what, {"p99": storm.p99})


def judge(seen):
    p99 = seen.seconds["p99"]
    verdict = seen.verdict if p99 <= MOST else THROUGH
    return seen._replace(verdict=verdict, what=f"home p99 {p99:.0f} ms, {seen.what}")
