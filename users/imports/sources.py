"""What is read: a private copy of the file, and the rows in it."""

import os
import shutil
from contextlib import suppress
from datetime import UTC
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
