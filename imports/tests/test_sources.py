import os
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from blog.models import Post
from imports import sources
from imports.tests.test_flask_blog import DAVE, ERIN, FIRST, FlaskBlogTestCase
from users.models import User


class OtherFiles(FlaskBlogTestCase):
    def test_no_sqlite_database(self):
        for content in [b"", b"username,email\r\n", b"SQLite format 2"]:
            Path(self.path).write_bytes(content)
            self.assertRefused("That file is no SQLite database.")

    def test_no_database_of_the_tutorials_app(self):
        self.site.execute("DROP TABLE post")
        self.site.execute("ALTER TABLE user DROP COLUMN image_file")
        self.assertRefused("no database of the tutorial's app: no post, user.image_file in it.")

    def test_ids_that_are_no_keys(self):
        self.site.executescript("CREATE TABLE u AS SELECT * FROM user; DROP TABLE user;")
        self.site.execute("ALTER TABLE u RENAME TO user")
        self.assertRefused("no user.id in it.")

    def test_damaged_database(self):
        self.add(DAVE, *((n, *FIRST[1:]) for n in range(500)))
        self.site.close()
        with open(self.path, "r+b") as file:
            file.truncate(3 * 4096)
        self.assertRefused("That database cannot be read: database disk image is malformed.")

    def test_later_parts_have_more_and_are_told_what_is_left_out(self):
        self.add(DAVE)
        self.site.executescript(
            "CREATE TABLE comment (id INTEGER PRIMARY KEY, text TEXT);"
            "ALTER TABLE user ADD COLUMN about TEXT;"
        )
        self.run_import()
        self.assertIn("Left out, unknown here: comment, user.about.", self.said)
        self.assertIn("Users: 1 imported", self.said)


class SourceUntouched(FlaskBlogTestCase):
    """The Flask app goes on: nothing beside its database changes, nor is anything locked."""

    def assertUntouched(self):
        before = self.files()
        with patch("sqlite3.connect", wraps=sqlite3.connect) as connect:
            self.run_import()
        self.assertNotIn(self.path, str(connect.call_args_list))
        self.assertEqual(self.files(), before)
        self.assertTrue(User.objects.filter(username="Dave").exists())
        self.assertFalse(User.objects.filter(username="Erin").exists())

    def test_rollback_journal(self):
        self.add(DAVE)
        self.assertUntouched()

    def test_while_the_app_writes(self):
        self.add(DAVE)
        self.site.execute("BEGIN EXCLUSIVE")
        self.add(ERIN)
        self.assertUntouched()
        self.site.execute("COMMIT")

    def test_while_half_of_what_the_app_writes_is_in_the_file(self):
        self.add(DAVE)
        self.site.execute("PRAGMA cache_size = 1")
        size = os.path.getsize(self.path)
        self.site.execute("BEGIN")
        self.add(ERIN, *((n, *FIRST[1:3], "x" * 5000, 1) for n in range(50)))
        self.assertGreater(os.path.getsize(self.path), size)
        self.assertUntouched()
        self.assertFalse(Post.objects.exists())

    def test_write_ahead_log(self):
        self.site.execute("PRAGMA journal_mode = WAL")
        self.add(DAVE)
        self.site.execute("BEGIN IMMEDIATE")
        self.add(ERIN)
        self.assertEqual(len(self.files()), 3)
        self.assertUntouched()
        self.site.execute("COMMIT")

    def test_write_ahead_log_of_an_app_that_is_not_running(self):
        self.site.execute("PRAGMA journal_mode = WAL")
        self.add(DAVE)
        self.site.close()
        self.assertEqual(len(self.files()), 1)
        self.assertUntouched()

    def test_link_to_it(self):
        self.site.execute("PRAGMA journal_mode = WAL")
        self.add(DAVE)
        with TemporaryDirectory() as elsewhere:
            self.path = os.path.join(elsewhere, "link")
            os.symlink(os.path.join(self.folder, "source"), self.path)
            self.assertUntouched()


class WrittenConcurrently(FlaskBlogTestCase):
    def setUp(self):
        super().setUp()
        self.add(DAVE)
        self.enterContext(patch.object(sources, "SECONDS_BETWEEN", 0))

    def test_copies_again_until_nobody_wrote_concurrently(self):
        copyfile, left = sources.shutil.copyfile, [ERIN, FIRST]

        def copy_and_write(*paths):
            copyfile(*paths)
            if left:
                self.add(left.pop())

        with patch("shutil.copyfile", copy_and_write):
            self.run_import()
        self.assertIn("Users: 2 imported", self.said)
        self.assertIn("Posts: 1 imported", self.said)

    def test_what_is_gone_when_it_is_copied_is_not_missed(self):
        stamps, gone = sources.stamps, [{"": (0, 0), "-journal": (0, 0)}]
        with patch.object(sources, "stamps", lambda path: gone.pop() if gone else stamps(path)):
            self.run_import()
        self.assertIn("Users: 1 imported", self.said)

    def test_gives_up_if_somebody_writes_all_the_time(self):
        stamps = iter(range(100))
        with patch.object(sources, "stamps", lambda path: {"": next(stamps)}):
            self.assertRefused("is being written to. Stop the app for a moment.")
