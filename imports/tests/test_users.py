import csv
import os
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import bcrypt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import CommandError, call_command

from imports.members import Members
from imports.tests.test_hashes import PBKDF2, PBKDF2_SHA1, SCRYPT
from testing.cast import CastTestCase
from users.models import User

PASSWORD = "from the old site"
BARE = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
HEAD = ["username", "email", "password hash", "date_joined"]
DATE = "2018-05-01 12:30:00"


class ImportTestCase(CastTestCase):
    """Imports from files in a temporary directory, and looks at what is said."""

    command = None

    def setUp(self):
        self.folder = self.enterContext(TemporaryDirectory())
        self.path = os.path.join(self.folder, "source")

    def run_import(self, *arguments, **options):
        """Run the command, and keep what it says in `said` and `clashes`, lines of cells."""
        out, err = StringIO(), StringIO()
        try:
            call_command(self.command, self.path, *arguments, stdout=out, stderr=err, **options)
        finally:
            self.said, self.table = out.getvalue(), err.getvalue()

    def assertRefused(self, words, *arguments, **options):
        """Assert that the command ends with `words`, a failure, and has written nothing."""
        before = list(User.objects.values_list())
        with self.assertRaises(CommandError) as error:
            self.run_import(*arguments, **options)
        self.assertIn(words, str(error.exception))
        self.assertEqual(error.exception.returncode, 1)
        self.assertEqual(list(User.objects.values_list()), before)

    def assertClashes(self, *lines):
        """Assert that the table of clashes has exactly these lines, each a list of cells."""
        head, *rows = self.table.splitlines()
        places = [head.index(word) for word in ["table", "row", "name", "reason"]]
        pairs = zip(places, [*places[1:], None], strict=True)
        slices = [slice(*pair) for pair in pairs]
        cells = [[row[place].strip() for place in slices] for row in rows]
        self.assertEqual(cells, [list(line) for line in lines])


class ImportUsersTestCase(ImportTestCase):
    command = "import_users"

    def write(self, *rows, head=HEAD):
        with open(self.path, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            csv.writer(file).writerows([head, *rows])


class ImportUsers(ImportUsersTestCase):
    def test_user_logs_in_with_the_password_they_have(self):
        django_own = PBKDF2PasswordHasher().encode(PASSWORD, "a salt of its own", 10)
        hashes = [BARE, f"bcrypt${BARE}", SCRYPT, PBKDF2, PBKDF2_SHA1, django_own]
        self.write(*([f"Dave{n}", f"Dave{n}@x.org", old, DATE] for n, old in enumerate(hashes)))
        self.run_import()
        self.assertEqual(self.said, "Users: 6 imported, 0 already here, 0 skipped.\n")
        for number, old in enumerate(hashes):
            with self.subTest(old):
                email = f"dave{number}@x.org"
                self.assertContains(self.log_in(email, "wrong"), "Login Unsuccessful")
                self.assertRedirects(self.log_in(email, PASSWORD), "/")
                user = User.objects.get(email=email)
                self.assertLoggedInAs(user)
                self.assertTrue(user.password.startswith("bcrypt_sha256$"))
                self.client.post("/logout/")

    def test_user_is_as_the_file_has_it_and_nothing_more(self):
        self.write(["Dave", "Dave@Example.COM", BARE, "2018-05-01T14:30:00.000001+02:00"])
        self.run_import()
        dave = User.objects.get(username_folded="dave")
        self.assertEqual((dave.username, dave.email), ("Dave", "dave@example.com"))
        self.assertEqual(dave.password, f"bcrypt${BARE}")
        self.assertEqual(dave.date_joined, datetime(2018, 5, 1, 12, 30, 0, 1, UTC))
        self.assertEqual(dave.picture.name, "default.jpg")
        self.assertIsNone(dave.email_confirmed_at)
        self.assertTrue(dave.is_active)
        self.assertFalse(dave.is_staff or dave.is_superuser)

    def test_columns_may_be_in_any_order_and_others_are_left_out(self):
        self.write(
            [DATE, "x", "dave@x.org", BARE, "Dave"],
            head=["Date_Joined", "is\x1b[31m_admin", "email", "password_hash", "username"],
        )
        self.run_import()
        self.assertIn(r"Left out, unknown here: is\x1b[31m_admin.", self.said)
        self.assertTrue(User.objects.filter(username="Dave", email="dave@x.org").exists())

    def test_file_of_a_spreadsheet_is_read(self):
        self.write(["Łukasz", "l@x.org", BARE, DATE])
        path = Path(self.path)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n")  # a mark, an empty line
        self.run_import()
        self.assertTrue(User.objects.filter(username="Łukasz").exists())

    def test_again_imports_only_what_is_new(self):
        self.write(["Dave", "dave@x.org", BARE, DATE])
        self.run_import()
        User.objects.filter(username="Dave").update(password="changed here", is_active=False)
        self.write(["DAVE", "Dave@x.org", BARE, DATE], ["Erin", "erin@x.org", BARE, DATE])
        self.run_import()
        self.assertEqual(self.said, "Users: 1 imported, 1 already here, 0 skipped.\n")
        dave = User.objects.get(username="Dave")
        self.assertEqual((dave.password, dave.is_active), ("changed here", False))

    def test_dry_run_says_what_would_be_done_and_does_not(self):
        self.write(["Dave", "dave@x.org", BARE, DATE], ["alice", "alice@example.com", BARE, DATE])
        self.run_import("--dry-run")
        self.assertEqual(self.said, "Users: 1 to import, 1 already here, 0 skipped.\n")
        self.assertEqual(User.objects.count(), 3)

    def test_batches(self):
        rows = [[f"Dave{n}", f"dave{n}@x.org", BARE, DATE] for n in range(7)]
        self.write(*rows, ["dave0", "other@x.org", BARE, DATE])
        with (
            patch("imports.importer.CHECKED_AT_ONCE", 3),
            patch("imports.importer.WRITTEN_AT_ONCE", 2),
        ):
            self.run_import("--skip-clashes")
        self.assertEqual(self.said, "Users: 7 imported, 0 already here, 1 skipped.\n")
        self.assertClashes(["user", "9", "dave0", "username: row 2 has the same"])


class BrokenFiles(ImportUsersTestCase):
    def test_missing(self):
        self.assertRefused("There is no file ")
        self.path = self.folder
        self.assertRefused("There is no file ")

    def test_without_the_columns(self):
        self.write(head=["username", "mail", "date_joined"])
        self.assertRefused("The first line names no column email, password_hash.")
        Path(self.path).write_text("")
        self.assertRefused("The first line names no column username, email, ")

    def test_lines_of_another_length(self):
        for row in [["Dave", "dave@x.org", BARE], ["Dave", "dave@x.org", BARE, DATE, ""]]:
            self.write(["Erin", "erin@x.org", BARE, DATE], row)
            self.assertRefused(f"Line 3 is no CSV: it has {len(row)} columns, not 4.")

    def test_quotation_mark_that_never_ends(self):
        self.write(["Erin", "erin@x.org", BARE, DATE])
        with open(self.path, "a") as file:
            file.write('"Dave,dave@x.org\n')
        self.assertRefused("Line 3 is no CSV: unexpected end of data.")

    def test_file_that_cannot_be_read(self):
        self.write()
        with patch("shutil.copyfile", side_effect=OSError(13, "Permission denied")):
            self.assertRefused("cannot be copied: Permission denied.")


class AllOrNothing(ImportUsersTestCase):
    def test_somebody_who_registers_concurrently_keeps_the_name(self):
        self.write(["Erin", "erin@x.org", BARE, DATE], ["Dave", "dave@x.org", BARE, DATE])
        write = Members.write

        def write_second(members):
            User.objects.create_user("DAVE", "other@example.com")
            write(members)

        # In the transaction that is rolled back, for a TestCase has but one connection.
        with (
            patch.object(Members, "write", write_second),
            patch("imports.importer.WRITTEN_AT_ONCE", 1),
        ):
            self.assertRefused("Nothing was imported. The database says: ")

    def test_what_is_no_error_of_the_database_is_shown_as_it_is(self):
        self.write(["Erin", "erin@x.org", BARE, DATE])
        with (
            patch.object(Members, "store", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.run_import()
        self.assertEqual(User.objects.count(), 3)


class Progress(ImportUsersTestCase):
    def setUp(self):
        super().setUp()
        self.write(*([f"Dave{n}", f"dave{n}@x.org", BARE, DATE] for n in range(3)))
        self.stderr = self.enterContext(patch("sys.stderr", StringIO()))

    def test_a_line_every_ten_seconds_where_no_terminal_is(self):
        with patch("imports.report.monotonic", side_effect=range(0, 200, 4)):
            self.run_import()
        lines = ["Checking users: 2 of 3", "Writing users: 2 of 3"]
        self.assertEqual(self.stderr.getvalue().splitlines(), lines)

    def test_nothing_where_it_is_done_at_once(self):
        self.run_import()
        self.assertEqual(self.stderr.getvalue(), "")

    def test_a_bar_on_a_terminal(self):
        with patch.object(self.stderr, "isatty", return_value=True):
            self.run_import()
        self.assertIn("Writing users: 100%", self.stderr.getvalue())
        self.assertIn("3/3", self.stderr.getvalue())
