from django.contrib.admin.models import LogEntry

from blog.models import Post
from testing.cast import CastTestCase
from users.models import Kind


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

    def test_list_leads_to_the_page_and_filters(self):
        response = self.client.get("/admin/blog/post/")
        self.assertContains(response, f'<a href="/post/{self.post.pk}/">Open</a>')
        Post.objects.filter(pk=self.post.pk).update(is_announcement=True, is_online=False)
        for query in ["is_announcement__exact=1", "is_online__exact=0"]:
            response = self.client.get(f"/admin/blog/post/?{query}")
            self.assertEqual(list(response.context["cl"].queryset), [self.post])

    def test_form_stores_and_renders(self):
        self.client.post(
            "/admin/blog/post/add/",
            {
                **{"title": "New", "content": "*Text*", "author": self.carol.pk},
                **{"date_posted_0": "2026-01-01", "date_posted_1": "12:00"},
                **{"is_markdown": "on", "is_announcement": "on"},
            },
        )
        post = Post.objects.get(title="New")
        self.assertIn("<em>Text</em>", post.excerpt)
        self.assertTrue(post.is_announcement and post.is_online)


class Offline(CastTestCase):
    def setUp(self):
        self.client.force_login(self.carol)
        for number in range(2):
            Post.objects.create(author=self.alice, title=f"{number}", content="Text")

    def act(self, action):
        posts = Post.objects.values_list("pk", flat=True)
        data = {"action": action, "_selected_action": [*posts]}
        return self.client.post("/admin/blog/post/", data, follow=True)

    def events(self):
        return list(self.alice.events.order_by("pk").values_list("kind", "ip"))

    def test_staff_take_posts_offline_and_put_them_back_and_both_are_recorded(self):
        Post.objects.filter(title="1").update(is_online=False)
        self.assertContains(self.act("take_offline"), "Post taken offline: 1.")
        self.assertFalse(Post.objects.visible().exists())
        self.assertEqual(self.events(), [(Kind.POST_OFFLINE, None)])
        self.assertContains(self.act("put_online"), "Post put back online: 2.")
        self.assertEqual(Post.objects.visible().count(), 2)
        self.assertEqual(self.events()[1:], [(Kind.POST_ONLINE, None)] * 2)
        entries = LogEntry.objects.order_by("pk").values_list("user", "change_message")
        self.assertEqual(entries[0], (self.carol.pk, "Post taken offline."))
        self.assertEqual(len(entries), 3)

    def test_not_without_the_permission(self):
        self.client.force_login(self.make_staff(self.bob, "view_post"))
        self.act("take_offline")
        self.assertEqual(Post.objects.visible().count(), 2)

    def test_form_does_not_pass_by_the_record(self):
        response = self.client.get(f"/admin/blog/post/{Post.objects.first().pk}/change/")
        self.assertNotContains(response, 'name="is_online"')
