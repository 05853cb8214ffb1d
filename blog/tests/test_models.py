from importlib import import_module
from types import SimpleNamespace
from unittest import skipUnless
from unittest.mock import patch

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from blog.models import Post
from testing.cast import CastTestCase


class Description(SimpleTestCase):
    def test_reads_no_more_of_a_long_text_than_it_takes(self):
        for tag_and_word in ["<em>a</em> ", "<em>&lt;</em> "]:
            post = Post(excerpt=tag_and_word * 100_000)
            with patch("blog.models.strip_tags", side_effect=strip_tags) as stripped:
                description = post.description
            self.assertEqual(len(description), 160)
            self.assertNotIn("e", description)
            self.assertLessEqual(len(stripped.call_args.args[0]), 2_000)

    def test_of_a_tag_that_is_cut_has_nothing(self):
        self.assertEqual(Post(excerpt='a <a href="' + "x" * 2_000 + '">b</a>').description, "a")


class Save(CastTestCase):
    def test_renders(self):
        post = Post.objects.create(author=self.alice, title="T", content="*Text*")
        self.assertIn("<em>", post.excerpt)
        post.content = "New"
        post.save(update_fields=["content"])
        post.refresh_from_db()
        self.assertEqual(post.excerpt.strip(), "<p>New</p>")

    def test_title_has_no_control_characters(self):
        post = Post(author=self.alice, title="a\x01b", content="Text")
        post.full_clean()
        self.assertEqual(post.title, "a b")

    def test_bounds_are_those_of_markdown(self):
        post = Post(author=self.alice, title="T", content="x" * 20_001)
        with self.assertRaisesMessage(ValidationError, "20,001"):
            post.full_clean()
        post.is_markdown = False
        post.full_clean()


@skipUnless(connection.vendor == "sqlite", "PostgreSQL counts in that only a few are asked for")
class Visible(CastTestCase):
    def setUp(self):
        # As after ANALYZE, of a million posts by all of ten thousand members.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            cursor.execute("DELETE FROM sqlite_stat1")
            for table, index, rows in [
                ("users_user", "sqlite_autoindex_users_user_1", "10000 1"),
                ("blog_post", "post_online", "1000000 1 1 1"),
                ("blog_post", "post_newest_first", "1000000 1 1"),
                ("blog_post", "blog_post_author_id_dd7a8485", "1000000 100"),
            ]:
                cursor.execute("INSERT INTO sqlite_stat1 VALUES (%s, %s, %s)", [table, index, rows])
            cursor.execute("ANALYZE sqlite_schema")  # reads them

    def tearDown(self):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")

    def test_no_page_begins_with_all_members(self):
        Post.objects.create(author=self.alice, title="T", content="Text")
        for url in ["/", "/announcements/", "/archive/2026/1/", "/feed/"]:
            with CaptureQueriesContext(connection) as queries:
                self.client.get(url)
            for query in queries.captured_queries:
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                    plan = [row[3] for row in cursor.fetchall()]
                self.assertFalse([step for step in plan if step.startswith("SCAN user")], url)


class OldPosts(CastTestCase):
    """Posts from before there was Markdown, which the migration keeps as they looked."""

    def test_are_plain_text_and_look_as_they_did(self):
        with connection.cursor() as cursor:
            for content in ["*Old* <b>\nline\n\nSecond"] * 2:
                cursor.execute(
                    "INSERT INTO blog_post (title, content, date_posted, author_id)"
                    " VALUES ('Old', %s, '2020-01-01', %s)",
                    [content, self.alice.pk],
                )
        migration = import_module("blog.migrations.0003_plain_text_as_it_was")
        migration.fill_in(apps, SimpleNamespace(connection=connection))
        post = Post.objects.first()
        self.assertFalse(post.is_markdown)
        self.assertTrue(post.is_online)
        response = self.client.get("/")
        self.assertContains(response, "<p>*Old* &lt;b&gt;<br>line</p>\n\n<p>Second</p>", count=2)
