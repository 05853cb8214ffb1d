"""
Real attacks on the site and its peers, on this machine's loopback and nowhere else.

One module is one attack. Its docstring names it in the first line, then says what the attacker does
and why that works where it does, and which weakness it is (CWE). `attack(target)` does it and
returns what was `Seen`, judged by what can be counted: answers, rows, mails, passwords hashed.
Where time tells as well, `judge(seen)` looks at the seconds, which the test does not. A target that
lacks what is attacked, the module's `NEEDS`, has none.
"""

import pkgutil
import re
from importlib import import_module
from typing import NamedTuple

HOLDS, IN_PART, THROUGH = "holds", "in part", "gets through"
NONE, NOT_RUN = "has none", "not run"


class Seen(NamedTuple):
    """The verdict on a target, what was seen there, and seconds, for `judge`, under any names."""

    verdict: str
    what: str = ""
    seconds: dict = {}


class Attack:
    """The attack in the module `name` of this package: its title, its CWE, and how to run it."""

    def __init__(self, name):
        self.name, self.module = name, import_module(f"{__name__}.{name}")
        self.title = self.module.__doc__.strip().partition("\n")[0].rstrip(".")
        self.cwe = re.search(r"CWE-(\d+)", self.module.__doc__)[1]

    def run(self, target, by_time=False):
        """Return what was Seen at `target`; with `by_time`, times are looked at, too."""
        if getattr(self.module, "NEEDS", None) not in [None, *target.has]:
            return Seen(NONE)
        seen = self.module.attack(target)
        judge = getattr(self.module, "judge", None)
        return judge(seen) if judge and by_time and seen.seconds else seen


def all_attacks():
    """Return every Attack that there is a module of, in the order of the modules' names."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = [name for name in names if name not in {"__main__", "target"}]
    return [Attack(name) for name in modules]
