from unittest.mock import patch

from django.conf import settings

from blog.feeds import PostSitemap
from blog.models import Post
from testing.cast import CastTestCase


class SitemapGet(CastTestCase):
    def test_index_leads_to_all_posts_that_can_be_seen(self):
        for number in range(4):
            Post.objects.create(author=self.alice, title="T", content="C", is_online=number != 1)
        hidden = Post.objects.get(is_online=False)
        with patch.object(PostSitemap, "limit", 2):
            index = self.client.get("/sitemap.xml")
            self.assertContains(index, "<loc>http://testserver/sitemap-posts.xml</loc>")
            self.assertContains(index, "<loc>http://testserver/sitemap-posts.xml?p=2</loc>")
            pages = [self.client.get(f"/sitemap-posts.xml?p={page}") for page in [1, 2]]
        text = "".join(page.text for page in pages)
        for post in Post.objects.all():
            self.assertEqual(f"/post/{post.pk}/</loc>" in text, post != hidden)

    def test_has_the_newest_posts_and_counts_no_others(self):
        old, new = (Post.objects.create(author=self.alice, title="T", content="C") for _ in "12")
        with patch.object(PostSitemap, "newest", 1):
            sitemap = self.client.get("/sitemap-posts.xml")
        self.assertContains(sitemap, f"/post/{new.pk}/</loc>")
        self.assertNotContains(sitemap, f"/post/{old.pk}/</loc>")

    def test_pages_that_are_not_there(self):
        for url in ["/sitemap-x.xml", "/sitemap-posts.xml?p=2", "/sitemap-posts.xml?p=x"]:
            self.assertEqual(self.client.get(url).status_code, 404, url)

    def test_robots_are_told_where_it_is(self):
        response = self.client.get("/robots.txt")
        self.assertEqual(response["Content-Type"], "text/plain")
        self.assertContains(response, f"Sitemap: {settings.SITE_URL}/sitemap.xml")
