from datetime import UTC, datetime
from unittest.mock import patch

from blog.models import Post
from testing.cast import CastTestCase

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


class ArchiveGet(CastTestCase):
    def setUp(self):
        for day in [datetime(2026, 1, 31, 23, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)]:
            Post.objects.create(
                author=self.alice, title="T", content=f"On {day:%B %-d}", date_posted=day
            )
        self.enterContext(patch("django.utils.timezone.now", return_value=NOW))

    def test_lists_the_posts_of_the_month_alone(self):
        response = self.client.get("/archive/2026/2/")
        self.assertContains(response, "<h1>February 2026</h1>", html=True)
        self.assertContains(response, "On February 1")
        self.assertNotContains(response, "On January 31")
        self.assertContains(self.client.get("/archive/2026/01/"), "On January 31")

    def test_links_lead_to_the_months_before_and_after_but_not_to_the_future(self):
        response = self.client.get("/archive/2026/1/")
        for url in ["/archive/2025/12/", "/archive/2026/2/"]:
            self.assertContains(response, f'href="{url}"')
        response = self.client.get("/archive/2026/3/")
        self.assertNotContains(response, "/archive/2026/4/")
        self.assertContains(response, "Nobody posted in this month.")
        self.assertContains(response, "noindex")

    def test_months_that_are_none(self):
        for month in [
            "2026/13",
            "2026/0",
            "0/1",
            "99999/1",
            "10000/1",
            "2026/x",
            "-1/1",
            "999/1",
            "9999/12",
        ]:
            self.assertEqual(self.client.get(f"/archive/{month}/").status_code, 404, month)
        for month in ["2026/4", "1000/1", "9999/11"]:
            response = self.client.get(f"/archive/{month}/")
            self.assertContains(response, "Nobody posted in this month.")

    def test_queries_a_page(self):
        with self.assertNumQueries(2):  # the posts, and the sidebar's
            self.client.get("/archive/2026/2/")
