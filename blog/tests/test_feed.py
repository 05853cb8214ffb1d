from datetime import UTC, datetime
from xml.etree import ElementTree

from django.conf import settings
from django.test import override_settings

from blog.models import Post
from testing.cast import CastTestCase

ATOM = {"atom": "http://www.w3.org/2005/Atom"}


class FeedGet(CastTestCase):
    def feed(self):
        response = self.client.get("/feed/")
        self.assertIn("application/atom+xml", response["Content-Type"])
        return ElementTree.fromstring(response.content)

    def test_has_the_newest_twenty_whole(self):
        for day in range(1, 22):
            time = datetime(2026, 1, day, tzinfo=UTC)
            Post.objects.create(
                author=self.alice, title=f"Post {day}", content="*Text*", date_posted=time
            )
        Post.objects.update(rest="<p>rest</p>")
        entries = self.feed().findall("atom:entry", ATOM)
        self.assertEqual(len(entries), 20)
        values = [entries[0].findtext(f"atom:{name}", None, ATOM) for name in ["title", "summary"]]
        self.assertEqual(values, ["Post 21", "<p><em>Text</em></p>\n<p>rest</p>"])
        self.assertEqual(entries[0].findtext("atom:author/atom:name", None, ATOM), "Alice")
        self.assertEqual(
            entries[0].findtext("atom:updated", None, ATOM), "2026-01-21T00:00:00+00:00"
        )

    def test_links_lead_to_the_site_whatever_host_asked(self):
        post = Post.objects.create(author=self.alice, title="T", content="Text")
        links = {link.get("href") for link in self.feed().iter(f"{{{ATOM['atom']}}}link")}
        paths = ["/", "/feed/", f"/post/{post.pk}/"]
        self.assertEqual(links, {settings.SITE_URL + path for path in paths})

    def test_no_title_or_text_breaks_it(self):
        junk = "a\x01\x0b\x1b\ufffe\uffff]]><&"
        Post.objects.create(author=self.alice, title=junk, content=junk)
        Post.objects.create(author=self.alice, title=junk, content=junk, is_markdown=False)
        for entry in self.feed().findall("atom:entry", ATOM):
            self.assertEqual(entry.findtext("atom:title", None, ATOM), "a]]><&")

    def test_nor_does_html_that_has_it(self):
        Post.objects.create(author=self.alice, title="T", content="a&#12;b")
        stored = Post.objects.create(author=self.alice, title="T", content="a")
        Post.objects.filter(pk=stored.pk).update(excerpt="<p>a\x0bb</p>\n")
        for entry in self.feed().findall("atom:entry", ATOM):
            self.assertEqual(entry.findtext("atom:summary", None, ATOM), "<p>ab</p>\n")

    @override_settings(SITE_NAME="Gazette")
    def test_every_page_announces_it(self):
        link = '<link rel="alternate" type="application/atom+xml" title="Gazette" href="/feed/">'
        for url in ["/", "/login/"]:
            self.assertContains(self.client.get(url), link, html=True)

    def test_queries(self):
        for _ in range(3):
            Post.objects.create(author=self.alice, title="T", content="Text")
        with self.assertNumQueries(1):
            self.feed()
