"""A CSV file of users, read."""

import csv

from django.core.management.base import CommandError

from .sources import UserRow

COLUMNS = ["username", "email", "password_hash", "date_joined"]


class UserList:
    """
    The users in the CSV file at `path`; the id of a row is the number of its line.

    A context manager. Raises CommandError for a file that is no such list.
    """

    def __init__(self, path):
        # What is no UTF-8 is a clash of its row, not the end of all. Excel writes a mark first.
        self.file = open(  # noqa: SIM115 (closed on leaving)
            path, newline="", encoding="utf-8-sig", errors="surrogateescape"
        )

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.file.close()
        if isinstance(error, csv.Error):
            raise CommandError(f"Line {self.reader.line_num} is no CSV: {error}.") from error

    def left_out(self):
        """
        Return in words which columns there are that nobody here asks for.

        Raises CommandError if one that is asked for is missing.
        """
        head, rows = self.read()
        if missing := [name for name in COLUMNS if name not in head]:
            raise CommandError(f"The first line names no column {', '.join(missing)}.")
        return ", ".join(name for name in head if name not in COLUMNS)

    def count(self, table):
        head, rows = self.read()
        return sum(1 for row in rows)

    def users(self):
        """Yield each line as a UserRow."""
        head, rows = self.read()
        places = [head.index(name) for name in COLUMNS]
        for cells in rows:
            username, email, password, joined = (cells[place] for place in places)
            yield UserRow(self.reader.line_num, username, email, password, date_joined=joined)

    def read(self):
        """Return the names in the first line, and an iterator over the cells of the others."""
        self.file.seek(0)
        self.reader = csv.reader(self.file, strict=True)
        head = [name.strip().lower().replace(" ", "_") for name in next(self.reader, [])]
        return head, self.cells(len(head))

    def cells(self, number):
        for cells in self.reader:
            if len(cells) != number and cells:
                raise csv.Error(f"it has {len(cells)} columns, not {number}")
            if cells:
                yield cells
