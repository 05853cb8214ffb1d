import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import bcrypt
from django.test import override_settings

from blog.markdown import RENDERER
from blog.models import Post
from imports.posts import Posts
from imports.tests.test_hashes import LONG, LONG_PASSWORD, PBKDF2
from imports.tests.test_users import BARE, PASSWORD, ImportTestCase
from users.models import User

SCHEMA = """
    CREATE TABLE user (
        id INTEGER NOT NULL, username VARCHAR(20) NOT NULL, email VARCHAR(120) NOT NULL,
        image_file VARCHAR(20) NOT NULL, password VARCHAR(60) NOT NULL,
        PRIMARY KEY (id), UNIQUE (username), UNIQUE (email)
    );
    CREATE TABLE post (
        id INTEGER NOT NULL, title VARCHAR(100) NOT NULL, date_posted DATETIME NOT NULL,
        content TEXT NOT NULL, user_id INTEGER NOT NULL,
        PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES user (id)
    );
"""
DAVE = (1, "Dave", "Dave@Example.com", "default.jpg", BARE)
ERIN = (7, "Erin", "erin@example.com", "default.jpg", BARE)
FIRST = (1, "First Post", "2018-05-01 12:30:00.000001", "Some\r\ntext\n", 1)


class FlaskBlogTestCase(ImportTestCase):
    command = "import_flask_blog"

    def setUp(self):
        super().setUp()
        self.site = self.enterContext(closing(sqlite3.connect(self.path, isolation_level=None)))
        self.site.executescript(SCHEMA)

    def add(self, *rows):
        """Put `rows` of users, or of posts, into the Flask app's database."""
        for row in rows:
            table = "user" if isinstance(row[-1], str | bytes) else "post"
            self.site.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", row)

    def files(self):
        """Return name, time and content of whatever is beside the Flask app's database."""
        paths = Path(self.folder).iterdir()
        return sorted((path.name, path.stat().st_mtime_ns, path.read_bytes()) for path in paths)


class Import(FlaskBlogTestCase):
    def test_users_and_posts_come_over(self):
        self.add(DAVE, ERIN, FIRST, (2, "Second", "2018-05-02 00:00:00", "Text", 7))
        self.run_import()
        self.assertEqual(
            self.said,
            "Users: 2 imported, 0 already here, 0 skipped.\n"
            "Posts: 2 imported, 0 already here, 0 skipped.\n",
        )
        first, second = Post.objects.order_by("date_posted")
        self.assertEqual((first.title, first.content), FIRST[1:4:2])
        self.assertEqual(first.date_posted, datetime(2018, 5, 1, 12, 30, 0, 1, UTC))
        self.assertEqual((first.author.username, second.author.username), ("Dave", "Erin"))
        self.assertEqual(first.author.email, "dave@example.com")

    def test_posts_are_plain_text_and_rendered(self):
        self.add(DAVE, (1, "First", "2018-05-01 12:30:00", "*Some* <b>\r\ntext", 1))
        self.run_import()
        post = Post.objects.get()
        self.assertFalse(post.is_markdown)
        self.assertEqual(post.excerpt, "<p>*Some* &lt;b&gt;<br>text</p>\n")
        self.assertEqual(post.renderer, RENDERER)

    def test_user_logs_in_with_the_old_password_and_leaves_with_a_new_hash(self):
        self.add(DAVE)
        self.run_import()
        dave = User.objects.get(username="Dave")
        self.assertEqual(dave.password, f"bcrypt${BARE}")
        self.assertContains(self.log_in("Dave@Example.com", "wrong"), "Login Unsuccessful")
        self.assertRedirects(self.log_in("Dave@Example.com", PASSWORD), "/")
        self.assertLoggedInAs(dave)
        dave.refresh_from_db()
        self.assertTrue(dave.password.startswith("bcrypt_sha256$$2b$04$"))
        self.client.post("/logout/")
        self.assertRedirects(self.log_in("dave@example.com", PASSWORD), "/")

    def test_every_cost_and_prefix_logs_in(self):
        for number, (prefix, cost) in enumerate([("2a", 5), ("2b", 6), ("2y", 4), ("2y", 7)]):
            hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost)).decode()
            hashed = hashed.replace("$2b$", f"${prefix}$")
            self.add((number, f"Dave{number}", f"{number}@x.org", "default.jpg", hashed))
        self.run_import()
        for number in range(4):
            self.assertRedirects(self.log_in(f"{number}@x.org", PASSWORD), "/")
            self.client.post("/logout/")

    def test_long_passwords(self):
        self.add((1, "Dave", "dave@x.org", "default.jpg", LONG))
        self.run_import("--long-passwords")
        self.assertEqual(User.objects.get(username="Dave").password, f"bcrypt_sha256${LONG}")
        self.assertContains(self.log_in("dave@x.org", LONG_PASSWORD[:-1]), "Login Unsuccessful")
        self.assertRedirects(self.log_in("dave@x.org", LONG_PASSWORD), "/")

    def test_hash_that_the_app_kept_as_bytes(self):
        self.add((*DAVE[:4], BARE.encode()))
        self.run_import()
        self.assertEqual(User.objects.get(username="Dave").password, f"bcrypt${BARE}")

    def test_who_must_confirm_the_address_does_so_at_the_first_login(self):
        self.add(DAVE)
        self.run_import()
        with override_settings(EMAIL_VERIFICATION_REQUIRED=True):
            response = self.log_in("dave@example.com", PASSWORD)
        self.assertContains(response, "Please confirm your email first")

    def test_dry_run_says_what_would_be_done_and_does_not(self):
        self.add(DAVE, FIRST)
        self.run_import("--dry-run")
        self.assertIn("Users: 1 to import, 0 already here", self.said)
        self.assertIn("Posts: 1 to import, 0 already here", self.said)
        self.assertFalse(Post.objects.exists() or User.objects.with_username("Dave").exists())

    def test_again_imports_only_what_is_new(self):
        self.add(DAVE, FIRST)
        self.run_import()
        self.log_in("dave@example.com", PASSWORD)
        new_hash = User.objects.get(username="Dave").password
        self.add(ERIN, (2, *FIRST[1:4], 7), (3, *FIRST[1:]), (4, *FIRST[1:]))
        self.run_import()
        self.assertIn("Users: 1 imported, 1 already here, 0 skipped.", self.said)
        # Two more posts of Dave's that are alike are two more; Erin's is not Dave's.
        self.assertIn("Posts: 3 imported, 1 already here, 0 skipped.", self.said)
        self.assertEqual(User.objects.get(username="Dave").password, new_hash)
        self.run_import()
        self.assertIn("Posts: 0 imported, 4 already here, 0 skipped.", self.said)
        self.assertEqual(Post.objects.filter(author__username="Dave").count(), 3)

    def test_post_of_another_author_is_another_post(self):
        self.add(DAVE, ERIN, FIRST)
        self.run_import()
        self.add((0, *FIRST[1:4], 7))
        self.run_import()
        self.assertIn("Posts: 1 imported, 1 already here, 0 skipped.", self.said)
        authors = Post.objects.values_list("author__username", flat=True)
        self.assertEqual(sorted(authors), ["Dave", "Erin"])

    def test_nothing_is_imported_if_anything_fails(self):
        self.add(DAVE, FIRST)
        fails = patch.object(Posts, "store", side_effect=ZeroDivisionError)
        with fails, self.assertRaises(ZeroDivisionError):
            self.run_import()
        self.assertFalse(User.objects.with_username("Dave").exists())


class Clashes(FlaskBlogTestCase):
    def test_users_clash_by_the_rules_of_import_users(self):
        self.add(
            (3, "alice", "erin@x.org", "default.jpg", BARE),
            (4, "Dave", "dave@x.org", "default.jpg", PBKDF2),
        )
        self.assertRefused("Clashes: 2. Nothing was imported.")
        self.assertClashes(
            ["user", "3", "alice", "username: somebody here has it, with another email"],
            [
                "user",
                "4",
                "Dave",
                "password: Hash that is not bcrypt, or is damaged: pbkdf2:sha256.",
            ],
        )

    def test_posts(self):
        blank, no_text = "This field cannot be blank.", "It is not UTF-8, or has a NUL."
        long = "Ensure this value has at most 100 characters (it has 101)."
        self.add(
            DAVE,
            (2, "alice", "erin@x.org", "default.jpg", BARE),
            FIRST,
            (2, *FIRST[1:4], 2),
            (3, *FIRST[1:4], 99),
            (4, "T", "1525177800", "C", 1),
            (5, "T", "2018-13-01 00:00:00", "C", 1),
            (6, "", FIRST[2], "C", 1),
            (7, "x" * 101, FIRST[2], "C", 1),
            (8, "T", FIRST[2], "", 1),
            (9, "T\0", FIRST[2], "C", 1),
            (10, "T", FIRST[2], b"\xff", 1),
        )
        clashes = [
            ["user", "2", "alice", "username: somebody here has it, with another email"],
            ["post", "2", "First Post", "author: user 2 clashes"],
            ["post", "3", "First Post", "author: user 99 is not there"],
            ["post", "4", "T", "date_posted: “1525177800” is no date."],
            ["post", "5", "T", "date_posted: “2018-13-01 00:00:00” is no date."],
            ["post", "6", "", f"title: {blank}"],
            ["post", "7", "x" * 39 + "…", f"title: {long}"],
            ["post", "8", "T", f"content: {blank}"],
            ["post", "9", r"T\x00", f"title: {no_text}"],
            ["post", "10", "T", f"content: {no_text}"],
        ]
        self.assertRefused("Clashes: 10. Nothing was imported.")
        self.assertClashes(*clashes)
        self.run_import("--skip-clashes")
        self.assertClashes(*clashes)
        self.assertIn("Users: 1 imported, 0 already here, 1 skipped.", self.said)
        self.assertIn("Posts: 1 imported, 0 already here, 9 skipped.", self.said)
        self.run_import("--skip-clashes")
        self.assertIn("Posts: 0 imported, 1 already here, 9 skipped.", self.said)

    def test_null_is_a_clash(self):
        self.site.executescript(SCHEMA.replace("NOT NULL", "").replace("TABLE ", "TABLE new_"))
        for table in ["user", "post"]:
            self.site.execute(f"DROP TABLE {table}")
            self.site.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
        self.site.execute("INSERT INTO user VALUES (1, NULL, NULL, NULL, NULL)")
        self.site.execute("INSERT INTO post VALUES (1, NULL, NULL, NULL, NULL)")
        self.assertRefused("Clashes: 7.")
        self.assertIn("author: user None is not there", self.table)
