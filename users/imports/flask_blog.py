"""The database of the Flask tutorial's app, read."""

import sqlite3
from itertools import starmap

from django.core.management.base import CommandError

from .sources import PostRow, UserRow

COLUMNS = {
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
        wanted = {(table, column) for table in COLUMNS for column in COLUMNS[table]}
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
