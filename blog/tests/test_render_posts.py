from io import StringIO
from unittest.mock import patch

from django.core.management import call_command

from blog.markdown import RENDERER
from blog.models import Post
from testing.cast import CastTestCase


class RenderPosts(CastTestCase):
    def setUp(self):
        self.post = Post.objects.create(author=self.alice, title="T", content="*Text*")
        Post.objects.update(excerpt="old", rest="old", renderer="old")

    def render(self, *options):
        out = StringIO()
        call_command("render_posts", *options, stdout=out)
        self.post.refresh_from_db()
        return out.getvalue()

    def test_what_another_renderer_made_is_made_anew(self):
        self.assertEqual(self.render(), "Rendered 1 post.\n")
        self.assertEqual(self.post.excerpt.strip(), "<p><em>Text</em></p>")
        self.assertEqual((self.post.rest, self.post.renderer), ("", RENDERER))

    def test_what_this_renderer_made_stays(self):
        Post.objects.update(renderer=RENDERER)
        self.assertEqual(self.render(), "Rendered 0 posts.\n")
        self.assertEqual(self.post.excerpt, "old")
        self.assertEqual(self.render("--all"), "Rendered 1 post.\n")
        self.assertNotEqual(self.post.excerpt, "old")

    def test_plain_text_stays_plain_text(self):
        Post.objects.update(is_markdown=False)
        self.render()
        self.assertEqual(self.post.excerpt.strip(), "<p>*Text*</p>")

    def test_more_than_a_batch(self):
        Post.objects.bulk_create(
            Post(author=self.alice, title="T", content="*Text*") for _ in range(200)
        )
        self.assertEqual(self.render(), "Rendered 201 posts.\n")
        self.assertFalse(Post.objects.exclude(renderer=RENDERER).exists())

    def test_text_that_is_changed_meanwhile_keeps_its_own_html(self):
        def change(post):
            render(post)
            Post.objects.update(content="New", excerpt="<p>New</p>")

        render = Post.render
        with patch.object(Post, "render", change):
            self.assertEqual(self.render(), "Rendered 0 posts.\n")
        self.assertEqual(self.post.excerpt, "<p>New</p>")

    def test_changes_nothing_else(self):
        Post.objects.update(is_online=False)
        before = self.post.date_posted
        self.render()
        self.assertFalse(self.post.is_online)
        self.assertEqual(self.post.date_posted, before)
