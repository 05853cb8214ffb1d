"""`manage.py import_users`: brings users from any other system, in a CSV file."""

from imports.command import ImportCommand
from imports.hashes import from_anywhere
from imports.members import Members
from imports.sources import UserList


class Command(ImportCommand):
    help = (
        "Imports users from a CSV file with the columns username, email, password_hash and"
        " date_joined. The hashes are bcrypt, Django's own, or Werkzeug's scrypt and PBKDF2."
    )
    path_help = "the CSV file"
    source_class = UserList

    def importers(self, source, clashes, pictures, **options):
        return [Members(source, clashes, from_anywhere, pictures)]
