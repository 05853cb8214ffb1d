"""`manage.py import_flask_blog`: brings users and posts from the Flask tutorial's app."""

from functools import partial

from imports.command import ImportCommand
from imports.hashes import from_flask_bcrypt
from imports.members import Members
from imports.posts import Posts
from imports.sources import FlaskBlog


class Command(ImportCommand):
    help = "Imports users and posts from the SQLite database of the Flask tutorial's app."
    path_help = "the app's site.db, which is neither locked nor written"
    source_class = FlaskBlog

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--pictures", help="the app's directory profile_pics")
        parser.add_argument(
            "--long-passwords", action="store_true", help="it has BCRYPT_HANDLE_LONG_PASSWORDS set"
        )

    def importers(self, source, clashes, pictures, *, long_passwords, **options):
        clean_hash = partial(from_flask_bcrypt, long_passwords=long_passwords)
        members = Members(source, clashes, clean_hash, pictures)
        return [members, Posts(source, clashes, members)]
