import re
from datetime import UTC, datetime, timedelta
from unittest.mock import PropertyMock, patch

from django.conf import settings
from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils import timezone

from blog.models import Post
from blog.views import HomeView, PostPaginator
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
        with self.assertNumQueries(2):  # those of the page, and those of the sidebar
            self.client.get("/")
        self.write_posts(10)
        with self.assertNumQueries(2):
            self.client.get("/")


class Excerpts(HomeTestCase):
    def test_long_post_is_cut_between_paragraphs_and_links_to_the_rest(self):
        words = "word " * 60
        post = Post.objects.create(
            author=self.alice,
            title="Long",
            content=f"First {words}\n\nSecond {words}\n\nThird {words}",
        )
        response = self.client.get("/")
        self.assertContains(response, "Second")
        self.assertNotContains(response, "Third")
        self.assertContains(response, f'<a href="{post.get_absolute_url()}">Read more')

    def test_short_post_is_whole(self):
        self.write_posts(1)
        self.assertNotContains(self.client.get("/"), "Read more")

    def test_titles_and_names_are_links(self):
        self.write_posts(1)
        response = self.client.get("/")
        self.assertContains(response, '<h2 class="post-title"><a href="/post/', count=1)
        self.assertContains(response, '<a href="/user/Alice/">Alice</a>', count=1)


class OutOfSight(HomeTestCase):
    def test_posts_that_are_offline_or_of_a_deactivated_member_are_on_no_page(self):
        self.write_posts(4)
        Post.objects.filter(title="Post 3").update(is_online=False, is_announcement=True)
        Post.objects.update(is_announcement=True)
        self.bob.is_active = False
        self.bob.save()
        for url in ["/", "/announcements/", "/archive/2018/4/", "/feed/", "/about/"]:
            response = self.client.get(url)
            for words in ["Post 1", "Post 3", "Bob"]:
                self.assertNotContains(response, words)
            self.assertContains(response, "Post 0")
        Post.objects.filter(title="Post 0").update(is_online=False)
        for url in [
            "/",
            "/announcements/",
            "/archive/2018/4/",
            "/feed/",
            "/about/",
            "/user/alice/",
        ]:
            self.assertNotContains(self.client.get(url), "Post 0")


class Sidebar(HomeTestCase):
    def test_lists_the_newest_five_and_leads_on(self):
        self.write_posts(6)
        response = self.client.get("/about/")
        for number in range(1, 6):
            post = Post.objects.get(title=f"Post {number}")
            self.assertContains(response, f'<a href="/post/{post.pk}/">Post {number}</a>')
        self.assertNotContains(response, "Post 0")
        today = timezone.now()
        for url in ["/announcements/", f"/archive/{today.year}/{today.month}/", "/feed/"]:
            self.assertContains(response, f'href="{url}"')
            self.assertEqual(self.client.get(url).status_code, 200)

    def test_costs_one_query(self):
        with self.assertNumQueries(1):
            self.client.get("/about/")

    def test_a_page_without_a_request_has_one_without_posts(self):
        self.write_posts(1)
        with self.assertNumQueries(0):
            page = render_to_string("500.html")
        self.assertIn("Latest Posts", page)
        self.assertNotIn("Post 0", page)


class CachedPosts(HomeTestCase):
    def setUp(self):
        cache.clear()  # of the same posts in other tests
        self.write_posts(1)
        self.assertContains(self.client.get("/"), "Content 0")
        self.post = Post.objects.get()

    def test_every_change_shows_at_once(self):
        for change, words in [
            ({"title": "New title"}, "New title"),
            ({"excerpt": "New content"}, "New content"),
            ({"rest": "Second part"}, "Read more"),
            ({"date_posted": FIRST_DAY + timedelta(days=400)}, "May 25, 2019"),
            ({"author": self.bob}, "Bob"),
        ]:
            Post.objects.update(**change)
            self.assertContains(self.client.get("/"), words)
        for name, value in [("username", "Robert"), ("picture", "pictures/r.jpg")]:
            setattr(self.bob, name, value)
            self.bob.save()
            self.assertContains(self.client.get("/"), value)

    def test_a_change_of_one_and_of_their_order_show_at_once(self):
        self.write_posts(2)
        first, second = Post.objects.all()[:2]
        self.assertEqual(self.titles(), [first.title, second.title, "Post 0"])
        Post.objects.filter(pk=second.pk).update(title="New title")
        self.assertEqual(self.titles(), [first.title, "New title", "Post 0"])
        later = first.date_posted + timedelta(days=1)
        Post.objects.filter(pk=second.pk).update(date_posted=later)
        self.assertEqual(self.titles(), ["New title", first.title, "Post 0"])

    def titles(self):
        page = self.client.get("/").text
        return re.findall(r'<h2 class="post-title"><a [^>]*>([^<]*)<', page)

    def test_pictures_further_down_are_loaded_later(self):
        self.write_posts(4)
        bylines = self.client.get("/").text.split("post-byline")[1:]
        lazy = ['loading="lazy"' in byline for byline in bylines]
        self.assertEqual(lazy, [False, False, False, True, True])

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

    def test_newer_and_older_lead_to_the_neighbours(self):
        self.write_posts(25)
        for page, newer, older in [(1, False, True), (2, True, True), (3, True, False)]:
            response = self.client.get(f"/?page={page}")
            self.assertContains(response, f"Page {page}", count=1)
            self.assertContains(response, f'href="?page={page - 1}">Newer', count=newer)
            self.assertContains(response, f'href="?page={page + 1}">Older', count=older)

    def test_canonical_link_names_the_page_but_the_first(self):
        self.write_posts(11)
        for url, named in [("/?page=1", "/"), ("/?page=2", "/?page=2"), ("/?x=1", "/")]:
            self.assertContains(self.client.get(url), f'href="{settings.SITE_URL}{named}">')

    def test_nobody_reads_further_than_a_thousand_pages(self):
        self.write_posts(4)
        with patch.object(HomeView, "paginate_by", 1), patch.object(PostPaginator, "MAX_PAGES", 3):
            self.assertContains(self.client.get("/?page=2"), 'href="?page=3"')
            self.assertNotContains(self.client.get("/?page=3"), "Older")
        self.assertEqual(PostPaginator.num_pages, 1_000)
        self.assertEqual(self.client.get("/?page=1001").status_code, 404)

    def test_pages_that_are_not_there(self):
        for page in ["2", "0", "-1", "x", "1.5", "last", "\x00", "1001", "9" * 400]:
            with self.subTest(page):
                self.assertEqual(self.client.get("/", {"page": page}).status_code, 404)
