from datetime import UTC, datetime, timedelta
from unittest.mock import PropertyMock, patch

from django.core.cache import cache

from blog.models import Post
from testing.cast import CastTestCase
from users.models import User

FIRST_DAY = datetime(2018, 4, 20, tzinfo=UTC)


class HomeTestCase(CastTestCase):
    def write_posts(self, number):
        """Write `number` posts, Alice and Bob in turn, one a day."""
        authors = [self.alice, self.bob]
        for day in range(number):
            Post.objects.create(
                author=authors[day % 2],
                title=f"Post {day}",
                content=f"Content {day}",
                date_posted=FIRST_DAY + timedelta(days=day),
            )


class HomeGet(HomeTestCase):
    def test_lists_author_date_title_and_text(self):
        self.write_posts(1)
        response = self.client.get("/")
        for words in ["Alice", "April 20, 2018", "Post 0", "Content 0"]:
            self.assertContains(response, words)

    def test_emails_of_authors_are_not_shown(self):
        self.write_posts(2)
        self.assertNotContains(self.client.get("/"), "@example.com")

    def test_newest_first(self):
        self.write_posts(3)
        titles = [post.title for post in self.client.get("/").context["page_obj"]]
        self.assertEqual(titles, ["Post 2", "Post 1", "Post 0"])

    def test_posts_of_one_moment_keep_their_order(self):
        self.assertEqual(Post._meta.ordering, ["-date_posted", "-id"])

    def test_empty_site_is_friendly(self):
        self.assertContains(self.client.get("/"), "Nothing here yet")

    def test_text_is_escaped(self):
        Post.objects.create(author=self.alice, title="<b>T</b>", content="<script>1</script>")
        response = self.client.get("/")
        self.assertContains(response, "&lt;b&gt;T&lt;/b&gt;")
        self.assertContains(response, "&lt;script&gt;")

    def test_home_is_another_name_for_it(self):
        self.assertRedirects(self.client.get("/home/"), "/")
        self.write_posts(11)
        self.assertRedirects(self.client.get("/home/?page=2"), "/?page=2")

    def test_posts_and_authors_take_the_same_queries_however_many(self):
        self.write_posts(1)
        with self.assertNumQueries(1):
            self.client.get("/")
        self.write_posts(10)
        with self.assertNumQueries(1):
            self.client.get("/")


class CachedPosts(HomeTestCase):
    def setUp(self):
        cache.clear()  # of the same posts in other tests
        self.write_posts(1)
        self.assertContains(self.client.get("/"), "Content 0")
        self.post = Post.objects.get()

    def test_every_change_shows_at_once(self):
        for change, words in [
            ({"title": "New title"}, "New title"),
            ({"content": "New content"}, "New content"),
            ({"date_posted": FIRST_DAY + timedelta(days=400)}, "May 25, 2019"),
            ({"author": self.bob}, "Bob"),
        ]:
            Post.objects.update(**change)
            self.assertContains(self.client.get("/"), words)
        Post.objects.update(title="Guilty:not", content="he is free")
        self.client.get("/")
        Post.objects.update(title="Guilty", content="not:he is free")
        self.assertContains(self.client.get("/"), "<h2>Guilty</h2>", html=True)
        for name, value in [("username", "Robert"), ("picture", "pictures/r.jpg")]:
            setattr(self.bob, name, value)
            self.bob.save()
            self.assertContains(self.client.get("/"), value)

    def test_are_rendered_once(self):
        rendered = PropertyMock(return_value="/x.jpg")
        with patch.object(User, "picture_url", rendered):
            self.assertContains(self.client.get("/"), "Content 0")
            rendered.assert_not_called()
            Post.objects.update(title="New title")
            self.client.get("/")
            self.client.get("/")
        rendered.assert_called_once_with()


class HomePages(HomeTestCase):
    def test_ten_a_page(self):
        self.write_posts(10)
        response = self.client.get("/")
        self.assertEqual(len(response.context["page_obj"]), 10)
        self.assertNotContains(response, "pagination")
        self.write_posts(1)
        self.assertContains(self.client.get("/"), "pagination")
        self.assertEqual(len(self.client.get("/?page=2").context["page_obj"]), 1)

    def test_links_lead_to_the_neighbours_and_the_newest(self):
        self.write_posts(95)
        response = self.client.get("/?page=5")
        for page in [1, 4, 6]:
            self.assertContains(response, f'href="?page={page}"', count=1)
        self.assertContains(response, 'aria-current="page"', count=1)
        self.assertContains(response, "…", count=1)
        self.assertNotContains(response, 'href="?page=7"')
        self.assertNotContains(self.client.get("/?page=10"), 'href="?page=11"')

    def test_pages_that_are_not_there(self):
        for page in ["2", "0", "-1", "x", "1.5", "last", "\x00", "1000000000", "9" * 400]:
            with self.subTest(page):
                self.assertEqual(self.client.get("/", {"page": page}).status_code, 404)
