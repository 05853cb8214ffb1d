"""`manage.py import_users`: brings users from any other system, in a CSV file."""

from users.imports.command import ImportCommand
from users.imports.hashes import from_anywhere
from users.imports.members import Members
from users.imports.user_list import UserList


class Command(ImportCommand):
    help = (
        "Imports users from a CSV file with the columns username, email, password_hash and"
        " date_joined. The hashes are bcrypt, Django's own, or Werkzeug's scrypt and PBKDF2."
    )
    path_help = "the CSV file"
    source_class = UserList

    def importers(self, source, clashes, pictures, **options):
        return [Members(source, clashes, from_anywhere, pictures)]
