"""The table, and the places in docs/ where what was seen is written."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from testing.servers import ROOT

PACKAGES = ["django", "bcrypt", "gunicorn", "psycopg", "flask", "sqlalchemy"]


class Row(NamedTuple):
    """
    What was measured, what it has to reach, and what else was seen.

    `reached` says how much of that, 1.0 for just so; or with a bool, for what is counted and does
    not depend on how busy the machine is, whether it is.
    """

    what: str
    measured: str
    must: str
    reached: float | bool
    beside: str = ""

    def met(self, noise):
        """Return "yes" or "no", or neither if `noise` (0.1 for a tenth) could turn it around."""
        if isinstance(self.reached, bool):
            return "yes" if self.reached else "**no**"
        if self.reached >= 1 + noise:
            return "yes"
        return "**no**" if self.reached < 1 / (1 + noise) else "within the noise"


def at_least(what, ratio, must, beside):
    """Return the Row of a ratio that has to reach `must`."""
    return Row(what, f"{ratio:.2f}", f"{must}", ratio / must, beside)


def at_most(what, measured, must, beside="", unit=""):
    """Return the Row of a ratio, or of so many of a `unit`, that must not pass `must`."""
    text = f"{measured:.0f} {unit}" if unit else f"{measured:.2f}"
    return Row(what, text, f"{must} {unit}".strip(), must / measured, beside)


def table(rows, noise):
    """Return the `rows` as a table of a run that was as noisy as `noise` says, 0.1 for a tenth."""
    lines = ["| what | measured | must reach | met | beside it |", "|---|---|---|---|---|"]
    for row in rows:
        met = row.met(noise)
        lines.append(f"| {row.what} | {row.measured} | {row.must} | {met} | {row.beside} |")
    return "\n".join(lines)


def machine(postgresql):
    """Return a sentence that says where and with what was measured; `postgresql`: its version."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores ({cpu}),"
        f" Linux {platform.release()}, Python {platform.python_version()}, {packages},"
        f" {postgresql}."
    )


def write(text, name, target):
    """Put `text` where docs/`name` has what the last `make {target}` wrote."""
    document = ROOT / "docs" / name
    begin, end = f"<!-- Written by make {target}: -->\n", "<!-- to here. -->"
    before, rest = document.read_text().split(begin)
    after = rest.split(end)[1]
    document.write_text(f"{before}{begin}{text}\n{end}{after}")
