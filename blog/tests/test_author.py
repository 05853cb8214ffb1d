import re

from blog.models import Post
from testing.cast import CastTestCase
from users.models import User


class AuthorGet(CastTestCase):
    def setUp(self):
        self.alice.about = "I write\nabout <b>tea</b>."
        self.alice.save()
        for number in range(11):
            Post.objects.create(author=self.alice, title=f"Post {number}.", content="Text")
        Post.objects.create(author=self.bob, title="Another", content="Text", is_online=False)

    def main(self, response):
        return response.text.partition("<main")[2].partition("</main>")[0]

    def test_shows_who_it_is_and_their_posts(self):
        page = self.main(self.client.get("/user/Alice/"))
        self.assertInHTML("<h1>Alice</h1>", page)
        self.assertInHTML("<p>I write<br>about &lt;b&gt;tea&lt;/b&gt;.</p>", page)
        for words in ["Member since", 'width="72"', "Post 10."]:
            self.assertIn(words, page)
        self.assertNotIn("Another", page)
        self.assertNotIn("alice@example.com", page)

    def test_ten_a_page(self):
        page = self.main(self.client.get("/user/Alice/?page=2"))
        self.assertIn("Post 0.", page)
        self.assertNotIn("Post 1.", page)
        for number in ["3", "0", "x", "1001"]:
            self.assertEqual(self.client.get(f"/user/Alice/?page={number}").status_code, 404)

    def test_in_whatever_case_one_spelling_is_the_canonical_one(self):
        response = self.client.get("/user/ALICE/")
        self.assertContains(response, "<h1>Alice</h1>", html=True)
        self.assertContains(response, '/user/Alice/">')

    def test_who_has_no_post_that_can_be_seen_has_no_page(self):
        for name in ["Bob", "Nobody", "Carol", "%00", "%ff", "x" * 5000, "a%2Fb", "%E2%80%AE"]:
            self.assertEqual(self.client.get(f"/user/{name}/").status_code, 404, name[:20])
        self.alice.is_active = False
        self.alice.save()
        self.assertEqual(self.client.get("/user/Alice/").status_code, 404)

    def test_author_whose_account_is_gone(self):
        User.objects.get(username="Alice").delete()
        self.assertEqual(self.client.get("/user/Alice/").status_code, 404)

    def test_every_username_has_its_page(self):
        for number, name in enumerate(["Émile", "x.y-z_", "мария"]):
            author = User.objects.create_user(name, f"{number}@example.com")
            Post.objects.create(author=author, title="Mine", content="Text")
            url = re.search(r'href="(/user/[^"]*)"', self.client.get("/").text)[1]
            self.assertContains(self.client.get(url), f"<h1>{name}</h1>", html=True)

    def test_queries_a_page(self):
        self.client.force_login(self.bob)
        self.client.get("/")
        for url in ["/user/Alice/", "/user/Alice/?page=2"]:
            with self.assertNumQueries(5):  # session, member, author, posts and sidebar
                self.client.get(url)

    def test_404_costs_the_same_whether_somebody_is_a_member(self):
        for name in ["Nobody", "Bob"]:
            with self.subTest(name), self.assertNumQueries(3):  # and the sidebar of the 404
                self.assertEqual(self.client.get(f"/user/{name}/").status_code, 404)
