from blog.models import Post
from testing.cast import CastTestCase


class PostDelete(CastTestCase):
    def setUp(self):
        self.post = Post.objects.create(author=self.alice, title="My <post>", content="Text")
        self.url = f"/post/{self.post.pk}/delete/"
        self.client.force_login(self.alice)

    def test_page_asks(self):
        response = self.client.get(self.url)
        self.assertContains(response, "My &lt;post&gt;")
        self.assertTrue(Post.objects.exists())

    def test_post_deletes(self):
        response = self.client.post(self.url, follow=True)
        self.assertRedirects(response, "/")
        self.assertContains(response, "Your post has been deleted!")
        self.assertFalse(Post.objects.exists())

    def test_second_click_finds_nothing(self):
        self.client.post(self.url)
        self.assertEqual(self.client.post(self.url).status_code, 404)

    def test_staff_with_the_permission(self):
        self.client.force_login(self.make_staff(self.bob, "delete_post"))
        self.client.post(self.url)
        self.assertFalse(Post.objects.exists())
