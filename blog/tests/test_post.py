from blog.models import Post
from testing.cast import CastTestCase


class PostTestCase(CastTestCase):
    def setUp(self):
        self.post = Post.objects.create(author=self.alice, title="First", content="*Text* & more")
        self.url = f"/post/{self.post.pk}/"


class PostGet(PostTestCase):
    def test_shows_title_text_author_and_date(self):
        response = self.client.get(self.url)
        self.assertContains(response, '<h1 class="post-title">First</h1>', html=True)
        self.assertContains(response, "<p><em>Text</em> &amp; more</p>", html=True)
        self.assertContains(response, '<a href="/user/Alice/">Alice</a>', html=True)
        self.assertContains(response, "<time ")

    def test_both_parts_of_the_text_are_there_in_order(self):
        Post.objects.update(excerpt="<p>One</p>", rest="<p>Two</p>")
        self.assertContains(self.client.get(self.url), "<p>One</p><p>Two</p>")

    def test_nothing_is_rendered(self):
        Post.objects.update(content="Changed by hand")
        self.assertNotContains(self.client.get(self.url), "Changed by hand")

    def test_post_that_is_not_there(self):
        for number in ["0", str(self.post.pk + 1), "9" * 30, "9" * 5000, "-1", "x", "1.5", "%00"]:
            self.assertEqual(self.client.get(f"/post/{number}/").status_code, 404, number[:20])

    def test_buttons_are_for_its_author_and_for_staff_who_may(self):
        for user, permissions, update, delete in [
            (None, [], False, False),
            (self.bob, [], False, False),
            (self.alice, [], True, True),
            (self.carol, [], True, True),  # a superuser
            (self.bob, ["change_post"], True, False),
            (self.bob, ["delete_post"], False, True),
        ]:
            self.client.logout()
            if user:
                self.client.force_login(user)
            if permissions:
                self.make_staff(user, *permissions)
            response = self.client.get(self.url)
            for action, shown in [("update", update), ("delete", delete)]:
                self.assertContains(response, f'href="{self.url}{action}/"', count=shown)

    def test_description_is_its_first_words_and_breaks_out_of_nothing(self):
        self.post.content = '**Two** "words" & <b> ' + "and more of them " * 20
        self.post.save()
        response = self.client.get(self.url)
        words = 'content="Two &quot;words&quot; &amp; &lt;b&gt; and more of them'
        self.assertContains(response, words)
        self.assertLessEqual(len(self.post.description), 160)

    def test_queries_a_page(self):
        with self.assertNumQueries(2):  # the post and the sidebar
            self.client.get(self.url)
        self.client.force_login(self.alice)
        self.client.get("/")
        with self.assertNumQueries(4):
            self.client.get(self.url)


class OfflinePost(PostTestCase):
    def test_is_shown_to_its_author_and_to_staff_who_may_change_it(self):
        Post.objects.update(is_online=False)
        for user, status in [(None, 404), (self.bob, 404), (self.alice, 200), (self.carol, 200)]:
            self.client.logout()
            if user:
                self.client.force_login(user)
            response = self.client.get(self.url)
            self.assertEqual(response.status_code, status)
        self.assertContains(response, "This post is offline")
        self.assertContains(response, "noindex")

    def test_nor_is_one_of_a_deactivated_member(self):
        self.alice.is_active = False
        self.alice.save()
        self.assertEqual(self.client.get(self.url).status_code, 404)
        self.client.force_login(self.carol)
        self.assertEqual(self.client.get(self.url).status_code, 200)
