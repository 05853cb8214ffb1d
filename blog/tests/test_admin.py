from blog.models import Post
from testing.cast import CastTestCase


class PostAdmin(CastTestCase):
    def setUp(self):
        self.client.force_login(self.carol)
        self.post = Post.objects.create(author=self.alice, title="First", content="Text")
        Post.objects.create(author=self.bob, title="Second", content="Text")

    def test_list_shows_title_and_author_by_name(self):
        response = self.client.get("/admin/blog/post/")
        self.assertContains(response, "First")
        self.assertContains(response, "Alice")
        self.assertTrue(response.context["cl"].date_hierarchy)

    def test_search_by_title_or_author(self):
        for words in ["first", "alice"]:
            response = self.client.get("/admin/blog/post/", {"q": words})
            self.assertEqual(list(response.context["cl"].queryset), [self.post])

    def test_author_is_whoever_writes_until_another_is_chosen(self):
        form = self.client.get("/admin/blog/post/add/").context["adminform"].form
        self.assertEqual(form["author"].value(), self.carol.pk)

    def test_author_is_chosen_by_autocomplete(self):
        response = self.client.get("/admin/blog/post/add/")
        self.assertContains(response, "admin-autocomplete")
        response = self.client.get(
            "/admin/autocomplete/",
            {"app_label": "blog", "model_name": "post", "field_name": "author", "term": "ali"},
        )
        self.assertEqual([result["text"] for result in response.json()["results"]], ["Alice"])
