from datetime import UTC, datetime

from testing.cast import CastTestCase, MailTestCase


class AccountGet(CastTestCase):
    def test_stranger_is_sent_to_the_login_page(self):
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")

    def test_member_sees_username_email_and_since_when(self):
        self.alice.date_joined = datetime(2018, 5, 4, tzinfo=UTC)
        self.alice.save()
        self.client.force_login(self.alice)
        response = self.client.get("/account/")
        self.assertContains(response, "<h1>Alice</h1>", html=True)
        self.assertContains(response, "alice@example.com")
        self.assertContains(response, "May 4, 2018")

    def test_nobody_keeps_a_copy(self):
        self.client.force_login(self.alice)
        self.assertIn("no-store", self.client.get("/account/")["Cache-Control"])

    def test_every_member_sees_their_own(self):
        self.client.force_login(self.bob)
        response = self.client.get("/account/")
        self.assertContains(response, "<h1>Bob</h1>", html=True)
        self.assertNotContains(response, "alice@example.com")


class PasswordManagers(MailTestCase):
    def assertSaysWhose(self, url):
        hidden = 'type="text" value="alice@example.com" autocomplete="username" readonly hidden'
        self.assertContains(self.client.get(url, follow=True), f"<input {hidden}>", html=True)

    def test_see_on_every_page_whose_password_it_is(self):
        self.client.force_login(self.alice)
        self.client.post("/account/email/send/")
        self.client.logout()
        self.assertSaysWhose(self.link())
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        self.assertSaysWhose(self.link())
        self.client.force_login(self.alice)
        for url in ["/account/password/", "/account/confirm/"]:
            self.assertSaysWhose(url)


class Navigation(CastTestCase):
    def test_stranger_is_offered_login_and_register(self):
        response = self.client.get("/")
        self.assertContains(response, 'href="/login/"')
        self.assertContains(response, 'href="/register/"')
        self.assertNotContains(response, 'href="/account/"')
        self.assertNotContains(response, "Logout")

    def test_member_is_offered_account_and_logout(self):
        self.client.force_login(self.alice)
        response = self.client.get("/")
        self.assertContains(response, 'href="/account/"')
        self.assertContains(response, '<form action="/logout/" method="post">')
        self.assertNotContains(response, 'href="/login/"')
        self.assertNotContains(response, 'href="/register/"')
