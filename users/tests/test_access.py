"""Every account address, as a stranger, as another member and as staff without permission."""

from unittest.mock import patch

from django.db import DatabaseError
from django.urls import get_resolver
from django.utils import timezone

from testing.cast import CastTestCase
from users.models import AuthenticatorApp, Passkey, User

ALICES_PASSKEY = "/account/security/passkeys/1/"
PAGES = ["/account/", "/account/confirm/", "/account/security/", "/account/password/"]
# Those that ask for proof, each with the one that the proof leads on to.
PAGES_WITH_PROOF = {
    **{"/account/email/": "/account/email/", "/account/sessions/": "/account/sessions/"},
    "/account/security/passkeys/add/": "/account/security/passkeys/add/",
    ALICES_PASSKEY: ALICES_PASSKEY,
    "/account/security/app/": "/account/security/app/",
    "/account/security/codes/": "/account/security/codes/",
    **{"/account/data/": "/account/data/", "/account/data/download/": "/account/data/"},
}
ALL_PAGES = [*PAGES, *PAGES_WITH_PROOF]
UNDER_SECURITY = [
    "/account/password/",
    *[url for url in PAGES_WITH_PROOF if url.startswith("/account/security/")],
]
WITHOUT_MENU = ["/account/confirm/", "/account/data/download/"]
ACTIONS = ["/account/confirm/passkey/"]
ACTIONS_WITH_PROOF = {
    "/account/email/change/send/": "/account/email/",
    "/account/email/change/cancel/": "/account/email/",
    "/account/security/passkeys/add/options/": "/account/security/",
    f"{ALICES_PASSKEY}remove/": "/account/security/",
    "/account/security/app/remove/": "/account/security/",
    "/account/sessions/end-others/": "/account/sessions/",
    "/account/sessions/x/end/": "/account/sessions/",
}
ALL_ACTIONS = [*ACTIONS, *ACTIONS_WITH_PROOF]
LINKS_IN_MAILS = ["/account/email/confirm/x/", "/account/recover/x/"]
FOR_ANYBODY_WITH_THE_PASSWORD = ["/account/email/correct/", "/account/email/send/"]


class AccessTestCase(CastTestCase):
    """Each member has a confirmed email and a passkey, Alice the first one; Alice has an app."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        now = timezone.now()
        User.objects.update(email_confirmed_at=now)
        for pk, user in enumerate([cls.alice, cls.bob, cls.carol], start=1):
            user.refresh_from_db()
            key = {"credential_id": f"{user} has a key".encode(), "credential": b""}
            Passkey.objects.create(pk=pk, user=user, name=f"Phone of {user}", added=now, **key)
        AuthenticatorApp.objects.create(user=cls.alice, secret="", last_step=0, added=now)


class Access(AccessTestCase):
    def test_list_above_is_whole(self):
        routes = get_resolver().url_patterns[1].url_patterns
        account = [route for route in map(str, routes) if "account/" in route]
        tested = [*ALL_PAGES, *ALL_ACTIONS, *LINKS_IN_MAILS, *FOR_ANYBODY_WITH_THE_PASSWORD]
        self.assertEqual(len(account), len(tested))
        for url in tested:
            self.assertTrue(any(route.resolve(url[1:]) for route in routes), url)

    def test_strangers_are_sent_to_the_login_page(self):
        for url in [*ALL_PAGES, *ALL_ACTIONS]:
            for method in [self.client.get, self.client.post]:
                with self.subTest(url):
                    self.assertRedirects(method(url), f"/login/?next={url}")

    def test_members_and_staff_see_themselves_alone(self):
        self.carol.is_superuser = False
        self.carol.save()
        for member in [self.bob, self.carol]:
            self.client.force_login(member)
            own = f"/account/security/passkeys/{member.passkeys.get().pk}/"
            for url in [own if url == ALICES_PASSKEY else url for url in ALL_PAGES]:
                with self.subTest(url=url, member=member):
                    response = self.client.get(url)
                    self.assertEqual(response.status_code, 200)
                    self.assertNotContains(response, "alice")
                    self.assertNotContains(response, "Alice")

    def test_factors_of_others_are_not_there_even_for_staff(self):
        for member in [self.bob, self.carol]:
            self.client.force_login(member)
            answers = [
                self.client.get(ALICES_PASSKEY),
                self.client.post(ALICES_PASSKEY, {"name": "Mine"}),
                self.client.post(f"{ALICES_PASSKEY}remove/"),
                self.client.post("/account/security/app/remove/"),
            ]
            self.assertEqual([answer.status_code for answer in answers], [404] * 4)
        self.assertEqual(self.alice.passkeys.get(removed=None).name, "Phone of Alice")
        self.assertTrue(AuthenticatorApp.objects.live(user=self.alice).exists())

    def test_nothing_is_done_by_get(self):
        for member in [self.alice, self.bob, self.carol]:
            self.client.force_login(member)
            for url in ALL_ACTIONS:
                with self.subTest(url=url, member=member):
                    self.assertEqual(self.client.get(url).status_code, 405)

    def test_links_that_were_not_mailed_are_dead_for_everybody(self):
        for member in [None, self.bob, self.carol]:
            if member:
                self.client.force_login(member)
            for url in LINKS_IN_MAILS:
                for method in [self.client.get, self.client.post]:
                    with self.subTest(url=url, member=member):
                        response = method(url)
                        self.assertContains(response, "This link does not work", status_code=410)
                        self.assertEqual(response["Referrer-Policy"], "strict-origin")

    def test_forms_of_unconfirmed_logins_do_nothing_without_one(self):
        for member, pages in [(None, ["/login/"]), (self.bob, ["/account/", "/login/"])]:
            if member:
                self.client.force_login(member)
            for url in FOR_ANYBODY_WITH_THE_PASSWORD:
                with self.subTest(url=url, member=member):
                    response = self.client.post(url, {"email": "new@example.com"})
                    self.assertIn(response["Location"], pages)
        self.assertFalse(User.objects.filter(email="new@example.com").exists())

    def test_nobody_keeps_a_copy(self):
        self.client.force_login(self.alice)
        for url in ALL_PAGES:
            with self.subTest(url):
                self.assertIn("no-store", self.client.get(url)["Cache-Control"])

    def test_error_reports_hide_what_forms_say(self):
        response = self.client.post("/register/")
        hidden = response.wsgi_request.sensitive_post_parameters
        self.assertEqual(set(hidden), {"password1", "password2"})
        for member in [None, self.alice]:  # also before somebody looks who asks
            if member:
                self.client.force_login(member)
            for url in [*ALL_PAGES, *ACTIONS]:
                with self.subTest(url, member=member):
                    request = self.client.post(url).wsgi_request
                    self.assertEqual(request.sensitive_post_parameters, "__ALL__")

    def assertMarked(self, response, link):
        """Assert that `link` is marked among the tabs, and Account in the bar."""
        bar, _, rest = response.text.partition("</nav>")
        tabs = rest.partition("</nav>")[0]
        self.assertIn(link, tabs)
        for menu in [bar, tabs]:
            self.assertEqual(menu.count("aria-current"), 1)
        self.assertRegex(bar, 'href="/account/" aria-current="(page|true)"')

    def test_menu_marks_the_page(self):
        self.client.force_login(self.alice)
        for url in {*ALL_PAGES} - {*UNDER_SECURITY, *WITHOUT_MENU}:
            with self.subTest(url):
                response = self.client.get(url)
                self.assertMarked(response, f'href="{url}" aria-current="page"')

    def test_menu_marks_security_on_the_pages_below_it(self):
        AuthenticatorApp.objects.all().delete()  # or there is none to add
        self.client.force_login(self.alice)
        for url in UNDER_SECURITY:
            with self.subTest(url):
                response = self.client.get(url)
                self.assertMarked(response, 'href="/account/security/" aria-current="true"')

    def test_errors_of_the_database_are_not_mistaken_for_a_deleted_account(self):
        self.client.force_login(self.alice)
        with (
            patch("users.views.data.export", side_effect=DatabaseError("full")),
            self.assertRaisesMessage(DatabaseError, "full"),
        ):
            self.client.get("/account/data/download/")

    def test_queries_a_page(self):
        self.client.force_login(self.alice)
        self.client.get("/")
        for url, number in [
            ("/account/", 3),
            ("/account/security/", 8),
            ("/account/sessions/", 4),
            ("/", 4),
        ]:
            with self.subTest(url), self.assertNumQueries(number):
                self.client.get(url)
