"""What the import commands say: how far they are, and what clashes."""

import sys
from itertools import chain
from time import monotonic

from tqdm import tqdm

SECONDS_PER_LINE = 10
SHOWN = 40  # characters of a name, an address or a title


def progress(rows, total, what):
    """Yield `rows`, of which there are `total`, and show on standard error how many are done."""
    if sys.stderr.isatty():
        yield from tqdm(rows, what, total)
        return
    said = monotonic()
    for done, row in enumerate(rows):
        if monotonic() - said >= SECONDS_PER_LINE:
            said = monotonic()
            print(f"{what}: {done:,} of {total:,}", file=sys.stderr)
        yield row


def printable(text):
    """Return `text` with nothing in it that a terminal would obey or a reader could not see."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class Clashes:
    """The table of what cannot be imported as it is, kept in `file`, for it may be long."""

    HEAD = ("table", "row", "name or address", "reason")

    def __init__(self, file):
        self.file, self.count = file, 0
        self.widths = [len(word) for word in self.HEAD]

    def add(self, table, row, name, reason):
        """Add that the row with the id `row` cannot be imported, and why, in words."""
        shown = printable(name if len(name) <= SHOWN else name[: SHOWN - 1] + "…")
        cells = (table, str(row), shown, printable(reason))
        self.widths = [
            max(width, len(cell)) for width, cell in zip(self.widths, cells, strict=True)
        ]
        self.file.write("\t".join(cells) + "\n")
        self.count += 1

    def lines(self):
        """Yield the lines of the table, its head first."""
        self.file.seek(0)
        rows = (line.removesuffix("\n").split("\t") for line in self.file)
        for cells in chain([self.HEAD], rows):
            yield "  ".join(
                cell.ljust(width) for cell, width in zip(cells, self.widths, strict=True)
            ).rstrip()
