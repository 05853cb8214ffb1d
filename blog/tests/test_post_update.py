from unittest.mock import patch

from blog.forms import MARKDOWN_HELP, PLAIN_HELP
from blog.models import Post
from testing.cast import CastTestCase

NEW = {"title": "New title", "content": "New **text**"}


class UpdateTestCase(CastTestCase):
    def setUp(self):
        self.post = Post.objects.create(author=self.alice, title="Old title", content="Old *text*")
        self.url = f"/post/{self.post.pk}/update/"
        self.client.force_login(self.alice)

    def update(self, **data):
        response = self.client.post(self.url, {**NEW, **data}, follow=True)
        self.post.refresh_from_db()
        return response


class PostUpdateGet(UpdateTestCase):
    def test_form_has_the_source(self):
        response = self.client.get(self.url)
        self.assertContains(response, "<legend><h1>Update post</h1></legend>", html=True)
        self.assertContains(response, "Old *text*</textarea>")
        self.assertContains(response, 'value="Old title"')

    def test_queries(self):
        self.client.get("/")
        with self.assertNumQueries(4):
            self.client.get(self.url)


class PostUpdatePost(UpdateTestCase):
    def test_post_is_changed_and_shown(self):
        response = self.update()
        self.assertRedirects(response, f"/post/{self.post.pk}/")
        self.assertContains(response, "Your post has been updated!")
        self.assertContains(response, "New <strong>text</strong>")
        self.assertEqual((self.post.title, self.post.content), tuple(NEW.values()))

    def test_date_and_author_stay(self):
        before = self.post.date_posted
        self.client.force_login(self.carol)
        self.update()
        self.assertEqual((self.post.date_posted, self.post.author), (before, self.alice))
        self.assertEqual(self.post.title, "New title")

    def test_preview_stores_nothing(self):
        response = self.update(preview="")
        self.assertContains(response, "New <strong>text</strong>")
        self.assertContains(response, "<h1>Update post</h1>", html=True)
        self.assertEqual(self.post.title, "Old title")

    def test_plain_text_stays_plain_text(self):
        Post.objects.update(is_markdown=False)
        self.assertContains(self.client.get(self.url), PLAIN_HELP)
        response = self.update(content="New **text**\nand a line <b>")
        self.assertContains(response, "<p>New **text**<br>and a line &lt;b&gt;</p>", html=True)
        self.assertFalse(self.post.is_markdown)

    def test_plain_text_may_be_as_long_as_it_came_in(self):
        Post.objects.update(is_markdown=False)
        self.update(content="[ " * 15_000)
        self.assertEqual(len(self.post.content), 30_000)

    def test_help_says_how_markdown_is_written(self):
        self.assertIn("20,000", MARKDOWN_HELP)
        self.assertContains(self.client.get(self.url), "**bold**")

    def test_error_leaves_it_as_it_was(self):
        response = self.update(title=" ")
        self.assertEqual([*response.context["form"].errors], ["title"])
        self.assertContains(response, "New **text**</textarea>")
        self.assertEqual(self.post.content, "Old *text*")

    def test_post_taken_offline_meanwhile_stays_offline(self):
        def take_offline(post):
            Post.objects.update(is_online=False, is_announcement=True)
            render(post)

        render = Post.render
        with patch.object(Post, "render", take_offline):
            self.update()
        self.assertEqual(self.post.title, "New title")
        self.assertFalse(self.post.is_online)
        self.assertTrue(self.post.is_announcement)

    def test_post_deleted_meanwhile_stays_deleted_and_its_text_comes_back(self):
        with patch.object(Post, "render", lambda post: Post.objects.all().delete()):
            response = self.client.post(self.url, NEW)
        self.assertContains(response, "New **text**</textarea>", status_code=404)
        self.assertFalse(Post.objects.exists())
        response = self.client.post(self.url, NEW)
        self.assertContains(response, "New **text**</textarea>", status_code=404)


class Others(UpdateTestCase):
    def test_change_and_delete_nothing(self):
        for user in [self.bob, self.make_staff(self.bob), self.make_staff(self.bob, "view_post")]:
            self.client.force_login(user)
            for action in ["update", "delete"]:
                for ask in [self.client.get, self.client.post]:
                    response = ask(f"/post/{self.post.pk}/{action}/", NEW)
                    self.assertContains(response, "somebody else", status_code=403)
        self.assertEqual(Post.objects.get().title, "Old title")

    def test_staff_change_with_the_permission_alone(self):
        self.client.force_login(self.make_staff(self.bob, "change_post"))
        self.assertContains(self.update(), "Your post has been updated!")
        response = self.client.post(f"/post/{self.post.pk}/delete/")
        self.assertEqual(response.status_code, 403)

    def test_permission_without_being_staff_is_none(self):
        self.make_staff(self.bob, "change_post", "delete_post")
        self.bob.is_staff = False
        self.bob.save()
        self.client.force_login(self.bob)
        self.assertEqual(self.client.get(self.url).status_code, 403)

    def test_strangers_are_sent_to_the_login_page(self):
        self.client.logout()
        for action in ["update", "delete"]:
            url = f"/post/{self.post.pk}/{action}/"
            self.assertRedirects(self.client.get(url), f"/login/?next={url}")
            self.assertEqual(self.client.post(url).status_code, 403)
        self.assertTrue(Post.objects.exists())
