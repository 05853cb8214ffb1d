import json
import tempfile
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.template import Context, Template
from django.templatetags.static import static
from django.test import SimpleTestCase, override_settings
from django.urls import NoReverseMatch, path, reverse, set_script_prefix
from django.utils.safestring import mark_safe

from blog_project import links
from blog_project.links import cached_reverse
from blog_project.templatetags import link

STORAGES = {
    "staticfiles": {"BACKEND": "blog_project.links.ManifestStaticFilesStorage"},
    "other": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}


class StaticURLs(SimpleTestCase):
    def setUp(self):
        self.enterContext(self.settings(STORAGES=STORAGES))
        self.enterContext(self.collected("first"))

    def collected(self, hashed):
        """Return settings with which static files are those that were collected with `hashed`."""
        root = self.enterContext(tempfile.TemporaryDirectory())
        manifest = {"version": "1.1", "paths": {"a.css": f"a.{hashed}.css"}}
        Path(root, "staticfiles.json").write_text(json.dumps(manifest))
        return self.settings(STATIC_ROOT=root)

    def test_are_looked_up_once(self):
        static("a.css")  # makes the storage
        look_up = patch.object(staticfiles_storage._wrapped, "stored_name", return_value="b")
        with look_up as looked_up:
            self.assertEqual(static("a.css"), "/static/a.first.css")
        looked_up.assert_not_called()

    def test_are_other_ones_with_other_settings(self):
        self.assertEqual(static("a.css"), "/static/a.first.css")
        with self.settings(STATIC_URL="/elsewhere/"):
            self.assertEqual(static("a.css"), "/elsewhere/a.first.css")
        with self.collected("second"):
            self.assertEqual(static("a.css"), "/static/a.second.css")
        plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
        with self.settings(STORAGES={**STORAGES, "staticfiles": {"BACKEND": plain}}):
            self.assertEqual(static("a.css"), "/static/a.css")
        self.assertEqual(static("a.css"), "/static/a.first.css")

    def test_of_what_is_not_there_are_an_error_each_time(self):
        for _ in range(2):
            with self.assertRaises(ValueError):
                static("nope.css")


class ReversedURLs(SimpleTestCase):
    def setUp(self):
        links.reverse_once.cache_clear()

    def test_are_looked_up_once(self):
        with patch("blog_project.links.reverse", wraps=reverse) as looked_up:
            for _ in range(2):
                self.assertEqual(cached_reverse("about"), "/about/")
                self.assertEqual(cached_reverse("post", 1), "/post/1/")
                self.assertEqual(cached_reverse("author", "1"), "/user/1/")
        self.assertEqual(looked_up.call_count, 3)

    def test_of_what_is_not_there_are_an_error_each_time(self):
        for _ in range(2):
            with self.assertRaises(NoReverseMatch):
                cached_reverse("nope")

    def test_are_other_ones_with_other_urls(self):
        moved = ModuleType("moved")
        moved.urlpatterns = [path("moved/", HttpResponse, name="about")]
        self.assertEqual(cached_reverse("about"), "/about/")
        with override_settings(ROOT_URLCONF=moved):
            self.assertEqual(cached_reverse("about"), "/moved/")
        self.assertEqual(cached_reverse("about"), "/about/")

    def test_are_other_ones_below_another_path(self):
        self.assertEqual(cached_reverse("about"), "/about/")
        self.addCleanup(set_script_prefix, "/")
        set_script_prefix("/blog/")
        self.assertEqual(cached_reverse("about"), "/blog/about/")

    def test_of_arguments_that_are_equal_and_look_different_differ(self):
        self.assertEqual(cached_reverse("author", 1), "/user/1/")
        self.assertEqual(cached_reverse("author", True), "/user/True/")


class URLTag(SimpleTestCase):
    def render(self, text, **context):
        return Template(text).render(Context(context))

    def test_does_what_that_of_django_does(self):
        for text, url in [
            ("{% url 'about' %}", "/about/"),
            ("{% url name %}", "/about/"),
            ("{% url 'author' who %}", "/user/it&#x27;s/"),
            ("{% url 'author' username=who %}", "/user/it&#x27;s/"),
            ("{% autoescape off %}{% url 'author' who %}{% endautoescape %}", "/user/it's/"),
            ("{% url 'about' as here %}-{{ here }}", "-/about/"),
            ("{% url 'nope' as nowhere %}-{{ nowhere }}", "-"),
            ("{% url 'admin:index' %}", "/admin/"),
        ]:
            with self.subTest(text):
                self.assertEqual(self.render(text, name="about", who="it's"), url)

    def test_what_is_safe_html_is_no_text(self):
        self.assertEqual(link("/x/", None, mark_safe("<b>")), '<a href="/x/"><b></a>')
        self.assertEqual(link("/x/", None, "<b>"), '<a href="/x/">&lt;b&gt;</a>')

    def test_looks_up_once(self):
        links.reverse_once.cache_clear()
        with patch("blog_project.links.reverse", wraps=reverse) as looked_up:
            for _ in range(2):
                self.render("{% url 'about' %}{% url 'about' %}")
        looked_up.assert_called_once()
