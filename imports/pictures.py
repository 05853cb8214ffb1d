"""Taking along the pictures of users."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.management.base import CommandError

from users.models import DEFAULT_PICTURE, User
from users.pictures import square_jpeg


class Pictures:
    """
    The pictures in the directory `path` of the source, or None if they are not taken along.

    They are made ours in the directory `folder` while rows are checked, which takes its time, and
    stored with the users.
    """

    def __init__(self, path, folder):
        if path is not None and not Path(path).is_dir():
            raise CommandError(f"There is no directory {path}.")
        self.path, self.folder = path, Path(folder)
        self.prepared = {}  # the file's name by row
        self.left = self.refused = 0
        self.stored = []

    def prepare(self, row):
        """Make the picture of `row` ours; raise ValidationError if it is refused or missing."""
        if row.picture in ("", DEFAULT_PICTURE):
            return
        if self.path is None:
            self.left += 1
            return
        try:
            picture = self.read(row.picture)
        except ValidationError:
            self.refused += 1
            raise
        (self.folder / picture.name).write_bytes(picture.open().read())
        self.prepared[row.row] = picture.name

    def read(self, name):
        if Path(name).name != name:
            raise ValidationError("It is not the name of a file in that directory.")
        try:
            with open(Path(self.path, name), "rb") as file:
                return square_jpeg(File(file))
        except (OSError, ValueError) as error:  # which is what a NUL in the name is
            raise ValidationError("There is no such file that could be read.") from error

    def give(self, row, user):
        """Store the picture that is prepared for `row` as that of `user`, if there is one."""
        if name := self.prepared.get(row.row):
            with open(self.folder / name, "rb") as file:
                user.picture.save(name, File(file), save=False)
            self.stored.append(user.picture.name)

    def take_back(self):
        """Delete what was stored: the users are not there after all."""
        for name in self.stored:
            User._meta.get_field("picture").storage.delete(name)
