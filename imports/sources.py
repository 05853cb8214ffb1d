"""The sources: a private copy of the file, the rows in it, and who reads them."""

import csv
import os
import shutil
import sqlite3
from contextlib import suppress
from datetime import UTC
from itertools import starmap
from pathlib import Path
from time import sleep
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

COPY_ATTEMPTS = 10
SECONDS_BETWEEN = 0.5


class UserRow(NamedTuple):
    """A user as the source has it: texts, but for the id of the row."""

    row: int
    username: str
    email: str
    password: str  # the hash
    picture: str = ""  # the name of a file
    date_joined: str | None = None  # None: the source does not know it


class PostRow(NamedTuple):
    """A post as the source has it: texts, but for the ids of the row and of its author's."""

    row: int
    title: str
    content: str
    date_posted: str
    user: int


def private_copy(path, folder):
    """
    Copy the file at `path` into `folder`, and return the path of the copy.

    SQLite locks a database that it reads, and writes beside one in WAL mode; the app may be
    running. A copy during which nobody wrote is as good, with what SQLite has beside the file:
    "-wal" is not in it yet, "-journal" undoes what is in it too early. Raises CommandError.
    """
    source, copy = os.path.realpath(path), os.path.join(folder, "source")
    if not os.path.isfile(source):
        raise CommandError(f"There is no file {source}.")
    for _ in range(COPY_ATTEMPTS):
        before = stamps(source)
        try:
            for suffix in before:
                shutil.copyfile(source + suffix, copy + suffix)
        except FileNotFoundError:
            pass  # what was beside it is not there any more: somebody wrote
        except OSError as error:
            raise CommandError(f"{source} cannot be copied: {error.strerror}.") from error
        if stamps(source) == before:
            return copy
        for suffix in before:
            Path(copy + suffix).unlink(missing_ok=True)
        sleep(SECONDS_BETWEEN)
    raise CommandError(f"{source} is being written to. Stop the app for a moment.")


def stamps(path):
    """Return size and time of `path`, and of each file that SQLite has beside it, by suffix."""
    found = {}
    for suffix in ["", "-wal", "-journal"]:
        with suppress(FileNotFoundError):
            stat = os.stat(path + suffix)
            found[suffix] = stat.st_size, stat.st_mtime_ns
    return found


def clean_date(value):
    """Return the date in the text `value` in UTC, which it is in if it names no other zone."""
    try:
        # Not "20180501", which may as well be a number of seconds.
        date = parse_datetime(value) if value[4:5] == "-" else None
        date = date and (date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        date = None
    if date is None:
        raise ValidationError(f"“{value[:30]}” is no date.")
    return date


# The database of the Flask tutorial's app

FLASK_COLUMNS = {
    "user": ["id", "username", "email", "image_file", "password"],
    "post": ["id", "title", "date_posted", "content", "user_id"],
}
# The ids are the primary keys, or "user 7" could be two users.
SCHEMA = """
    SELECT lower(tables.name), lower(columns.name)
    FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite^_%' ESCAPE '^'
        AND (lower(columns.name) != 'id' OR columns.pk)
"""
# SQLite keeps what it is given, whatever the column's type: bytes, numbers, NULL.
USERS = """
    SELECT id, ifnull(CAST(username AS TEXT), ''), ifnull(CAST(email AS TEXT), ''),
        ifnull(CAST(password AS TEXT), ''), ifnull(CAST(image_file AS TEXT), '')
    FROM user ORDER BY id
"""
POSTS = """
    SELECT id, ifnull(CAST(title AS TEXT), ''), ifnull(CAST(content AS TEXT), ''),
        ifnull(CAST(date_posted AS TEXT), ''), user_id
    FROM post ORDER BY id
"""


class FlaskBlog:
    """
    The users and posts in the app's database at `path`, a copy of its own.

    A context manager. Raises CommandError for a file that is no such database.
    """

    def __init__(self, path):
        with open(path, "rb") as file:
            if file.read(16) != b"SQLite format 3\0":
                raise CommandError("That file is no SQLite database.")
        self.connection = sqlite3.connect(path)
        # What is no UTF-8 is a clash of its row, not the end of all.
        self.connection.text_factory = lambda text: text.decode(errors="surrogateescape")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.connection.close()
        if isinstance(error, sqlite3.DatabaseError):
            raise CommandError(f"That database cannot be read: {error}.") from error

    def left_out(self):
        """
        Return in words which tables and columns there are that nobody here asks for.

        Raises CommandError if one that is asked for is missing.
        """
        found = set(self.connection.execute(SCHEMA))
        wanted = {(table, column) for table in FLASK_COLUMNS for column in FLASK_COLUMNS[table]}
        if missing := named(wanted - found, found):
            raise CommandError(f"That is no database of the tutorial's app: no {missing} in it.")
        return named(found - wanted, wanted)

    def count(self, table):
        return self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608

    def users(self):
        return starmap(UserRow, self.connection.execute(USERS))

    def posts(self):
        return starmap(PostRow, self.connection.execute(POSTS))


def named(columns, others):
    """Return pairs of table and column as text, a table that is not in `others` as a whole."""
    tables = {table for table, column in others}
    return ", ".join(sorted({f"{t}.{c}" if t in tables else t for t, c in columns}))


# A CSV file of users

CSV_COLUMNS = ["username", "email", "password_hash", "date_joined"]


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
        if missing := [name for name in CSV_COLUMNS if name not in head]:
            raise CommandError(f"The first line names no column {', '.join(missing)}.")
        return ", ".join(name for name in head if name not in CSV_COLUMNS)

    def count(self, table):
        head, rows = self.read()
        return sum(1 for row in rows)

    def users(self):
        """Yield each line as a UserRow."""
        head, rows = self.read()
        positions = [head.index(name) for name in CSV_COLUMNS]
        for cells in rows:
            username, email, password, joined = (cells[position] for position in positions)
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
