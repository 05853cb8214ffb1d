"""The table, and the place in docs/performance.md where it is written."""

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from testing.servers import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- Written by make bench: -->\n", "<!-- to here. -->"
PACKAGES = ["django", "bcrypt", "gunicorn", "psycopg", "flask", "sqlalchemy"]


class Row(NamedTuple):
    """What was measured, what it has to reach, whether it does, and what else was seen."""

    what: str
    measured: str
    must: str
    met: bool
    beside: str = ""


def at_least(what, ratio, must, beside):
    """Return the Row of a ratio that has to reach `must`."""
    return Row(what, f"{ratio:.2f}", f"{must}", ratio >= must, beside)


def at_most(what, ratio, must, beside):
    """Return the Row of a ratio that must not pass `must`."""
    return Row(what, f"{ratio:.2f}", f"{must}", ratio <= must, beside)


def table(rows):
    lines = ["| what | measured | must reach | met | beside it |", "|---|---|---|---|---|"]
    for row in rows:
        met = "yes" if row.met else "**no**"
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


def write(text):
    """Put `text` where the document has the last run's."""
    before, rest = DOCUMENT.read_text().split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}{text}\n{END}{after}")
