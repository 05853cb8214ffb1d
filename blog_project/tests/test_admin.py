"""What the admin's lists tell: what they show, to whoever may look at them, and nothing else."""

import re
from html import unescape

from django.contrib import admin
from django.test import RequestFactory

from blog.models import Post
from testing.cast import CastTestCase
from users.events import record
from users.models import Kind

STEPS = 3  # from a post to its author to a session of theirs
FLAG = {"exact", "isnull", "gte", "lt"}
DATE = {"year", "month", "day"}
FILTERS = {
    "blog.Post": {"date_posted": DATE | FLAG, "is_announcement": FLAG, "is_online": FLAG},
    "auth.Group": {},
    "users.User": dict.fromkeys(
        ["is_active", "is_staff", "is_superuser", "date_joined", "last_login"], FLAG
    ),
    "users.SecurityEvent": {"kind": FLAG, "time": FLAG | DATE, "user__id": {"exact"}},
}


def columns(model, steps=STEPS, path=""):
    """Yield (path, field) of all columns and relations of `model`, over `steps` of relations."""
    for field in model._meta.get_fields(include_hidden=True):
        yield f"{path}{field.name}", field
        if field.is_relation and steps > 1:
            yield from columns(field.related_model, steps - 1, f"{path}{field.name}__")


def lookups(field):
    """Return every way to look `field` up: bare, by a look-up, by a part, by a part's look-up."""
    ways = {"", "exact", "in", "isnull", "startswith"}
    if not (field.auto_created and not field.concrete):
        ways |= {*field.get_lookups()}
    return ways | {
        f"{part}__{way}" for part in [*DATE, "pk", "id"] for way in ["gte", "startswith"]
    }


class LookUps(CastTestCase):
    def setUp(self):
        self.client.force_login(self.carol)
        self.request = RequestFactory().get("/")
        self.request.user = self.carol
        for user in [self.alice, self.bob]:
            Post.objects.create(author=user, title="News", content="Text")
            record(None, Kind.LOGIN, user=user)

    def test_every_column_over_every_relation_is_refused_but_for_what_the_filters_ask(self):
        self.assertEqual({model._meta.label for model in admin.site._registry}, {*FILTERS})
        for model, model_admin in admin.site._registry.items():
            label, seen, open_to_all = model._meta.label, 0, {}
            for path, field in columns(model):
                for way in lookups(field):
                    seen += 1
                    lookup = f"{path}__{way}" if way else path
                    if model_admin.lookup_allowed(lookup, "a", self.request):
                        open_to_all.setdefault(path, set()).add(way)
            with self.subTest(label):
                self.assertEqual(open_to_all, FILTERS[label])
                self.assertGreater(seen, 1000)

    def test_list_answers_none_of_them(self):
        for model in admin.site._registry:
            url = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
            for path, _ in columns(model, steps=2):
                response = self.client.get(url, {f"{path}__startswith": "a"})
                self.assertEqual(response.status_code, 400, f"{url} {path}")

    def test_name_of_a_session_cannot_be_guessed_letter_by_letter(self):
        self.make_staff(self.bob, "view_user", "view_post", "view_securityevent")
        self.client.force_login(self.bob)
        for url, relation in [
            ("/admin/users/user/", ""),
            ("/admin/blog/post/", "author__"),
            ("/admin/users/securityevent/", "user__"),
        ]:
            for column in ["sessions__session_key", "sessions__pk", "password", "picture"]:
                query = {f"{relation}{column}__startswith": "a"}
                self.assertEqual(self.client.get(url, query).status_code, 400, query)

    def test_every_link_of_every_list_works(self):
        seen = set()
        for model in admin.site._registry:
            url = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
            links = re.findall(r'href="(\?[^"]*)"', self.client.get(url).text)
            for link in map(unescape, links):
                self.assertEqual(self.client.get(f"{url}{link}").status_code, 200, f"{url}{link}")
                seen.update(re.findall(r"[?&](\w+__\w+)=", link))
        self.assertGreater(
            seen,
            {"kind__exact", "time__gte", "time__lt", "is_staff__exact", "last_login__isnull"}
            | {"time__year", "time__month", "date_posted__year", "date_posted__month"},
        )

    def test_no_column_but_the_key_names_a_row(self):
        for model in admin.site._registry:
            url = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
            for field in model._meta.fields:
                status = 200 if field.primary_key else 400
                for page in [url, f"{url}{self.alice.pk}/change/"]:
                    response = self.client.get(page, {"_to_field": field.name}, follow=True)
                    self.assertEqual(response.status_code, status, f"{page} {field.name}")

    def test_authors_are_offered_to_whoever_may_look_at_users(self):
        query = {"app_label": "blog", "model_name": "post", "field_name": "author", "term": "ali"}
        for codenames, status in [(["add_post"], 403), (["add_post", "view_user"], 200)]:
            self.client.force_login(self.make_staff(self.bob, *codenames))
            response = self.client.get("/admin/autocomplete/", query)
            self.assertEqual(response.status_code, status)
