from importlib import import_module
from types import SimpleNamespace

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection

from blog.models import Post
from testing.cast import CastTestCase


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
