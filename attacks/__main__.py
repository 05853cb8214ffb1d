"""
`python -m attacks`: attacks the site and its peers, and writes a table into docs/security.md.

Three to four minutes, on the loopback alone. With names of attacks, only those, and nothing is
written.
"""

import argparse
import sys
import tempfile
import time

from attacks import HOLDS, IN_PART, NONE, NOT_RUN, THROUGH, all_attacks
from attacks.target import all_three
from bench import report

# First where ours does not hold, then where a peer does not, then where all do.
WORST_FIRST = [THROUGH, IN_PART, NOT_RUN, HOLDS, NONE]


def order(row):
    _, (ours, *peers) = row
    return WORST_FIRST.index(ours.verdict), min(WORST_FIRST.index(each.verdict) for each in peers)


def summary(rows):
    """Return a sentence that says first where ours does not hold, then where all three do."""
    failing = [attack.title for attack, (ours, *_) in rows if ours.verdict not in [HOLDS, NONE]]
    all_hold = [attack.title for attack, seen in rows if {HOLDS} == {each.verdict for each in seen}]
    lines = [f"This site does not hold, or not in full: {'; '.join(failing) or 'nowhere'}."]
    return "\n".join([*lines, f"All three hold: {'; '.join(all_hold) or 'nowhere'}."])


def table(rows, titles, short=False):
    """Return the Markdown of `rows`, pairs of an attack and what was seen of each target."""
    lines = [f"| attack | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
    for attack, seen in rows:
        name = attack.title if short else f"{attack.title} (CWE-{attack.cwe})"
        lines.append(f"| {name} | {' | '.join(cell(each, short) for each in seen)} |")
    return "\n".join(lines)


def cell(seen, short):
    verdict = seen.verdict if seen.verdict in [HOLDS, NONE] else f"**{seen.verdict}**"
    return verdict if short or not seen.what else f"{verdict}: {seen.what}"


def main():
    parser = argparse.ArgumentParser(prog="python -m attacks", description=__doc__)
    parser.add_argument("names", nargs="*", help="attacks to run, by the names of their modules")
    names, start, rows = parser.parse_args().names, time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder, all_three(folder) as targets:
        for attack in all_attacks():
            if names and attack.name not in names:
                continue
            seen = [attack.run(target, by_time=True) for target in targets]
            rows.append((attack, seen))
            print(f"{time.monotonic() - start:4.0f} s  {attack.title}", flush=True)
            for target, each in zip(targets, seen, strict=True):
                print(f"        {target.title}: {each.verdict}. {each.what}", flush=True)
        titles = [target.title for target in targets]
    rows.sort(key=order)
    text = f"{report.machine('SQLite')}\n\n{summary(rows)}\n\n{table(rows, titles)}"
    print(f"\n{text}\n\nFor the README:\n\n{table(rows, titles, short=True)}")
    if not names:
        report.write(text, "security.md", "attack")
    sys.exit(any(seen[0].verdict == THROUGH for _, seen in rows))


if __name__ == "__main__":
    main()
