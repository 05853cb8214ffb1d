"""What importing users and importing posts have in common."""

import re
from itertools import compress, islice

from django.core.exceptions import ValidationError
from django.db import reset_queries

from .report import progress

CHECKED_AT_ONCE = 300  # rows, with up to three values to look up each: SQLite takes 999
WRITTEN_AT_ONCE = 1_000

NEW, HERE, CLASHES = range(3)  # the verdict on a row

# What no database here stores: PostgreSQL no NUL, and neither of them what was no UTF-8.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Importer:
    """
    Goes through a table of `source` twice: judges all its rows, then writes those that are new.

    In between it keeps a byte for each row. Nothing is locked before the second time.
    """

    table = None  # its name in the source
    model = None

    def __init__(self, source, clashes):
        self.source, self.clashes = source, clashes
        self.verdicts = bytearray()

    def check(self):
        """Judge every row, and add to the clashes."""
        rows = progress(self.rows(), self.source.count(self.table), f"Checking {self.table}s")
        for batch in batches(rows, CHECKED_AT_ONCE):
            reset_queries()  # which DEBUG keeps
            self.look_up(batch)
            self.verdicts.extend(map(self.judge, batch))

    def write(self):
        """Write the rows that are new."""
        new = compress(self.rows(), (verdict == NEW for verdict in self.verdicts))
        rows = progress(new, self.verdicts.count(NEW), f"Writing {self.table}s")
        for batch in batches(rows, WRITTEN_AT_ONCE):
            reset_queries()
            self.store(batch)

    def rows(self):
        """Return an iterator over all rows, in the same order each time."""
        raise NotImplementedError

    def look_up(self, batch):
        """Find in the database what the rows in `batch` could be or clash with."""

    def judge(self, row):
        """Return NEW, HERE or CLASHES; why it clashes goes to `clash`."""
        raise NotImplementedError

    def store(self, batch):
        """Write the rows in `batch`."""
        raise NotImplementedError


def batches(rows, size):
    """Yield `rows` in lists of `size`."""
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


def wrong(row, validators):
    """Return what `validators`, by field, find wrong with `row`: pairs of field and words."""
    problems = []
    for field, validate in validators.items():
        try:
            validate(getattr(row, field))
        except ValidationError as error:
            problems += [(field, words) for words in dict.fromkeys(error.messages)]
    return problems
