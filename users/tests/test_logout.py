from testing.cast import CastTestCase


class LogoutPost(CastTestCase):
    def test_ends_the_session_on_the_server_and_goes_home(self):
        self.client.force_login(self.alice)
        self.assertTrue(self.alice.sessions.exists())
        self.assertRedirects(self.client.post("/logout/"), "/")
        self.assertLoggedOut()
        self.assertFalse(self.alice.sessions.exists())

    def test_says_so(self):
        self.client.force_login(self.alice)
        self.assertContains(self.client.post("/logout/", follow=True), "You are logged out.")

    def test_the_old_cookie_is_worth_nothing(self):
        self.client.force_login(self.alice)
        cookie = self.client.cookies["sessionid"].value
        self.client.post("/logout/")
        self.client.cookies["sessionid"] = cookie
        self.assertRedirects(self.client.get("/account/"), "/login/?next=/account/")

    def test_browser_is_asked_to_forget_the_pages_it_kept(self):
        self.client.force_login(self.alice)
        self.assertEqual(self.client.post("/logout/")["Clear-Site-Data"], '"cache"')

    def test_only_pages_of_members_are_asked_for_again(self):
        self.assertNotContains(self.client.get("/"), "data-member")
        self.client.force_login(self.alice)
        self.assertContains(self.client.get("/"), "<body data-member>")

    def test_stranger_goes_home(self):
        response = self.client.post("/logout/", follow=True)
        self.assertRedirects(response, "/")
        self.assertNotContains(response, "logged out")

    def test_next_that_leads_back_here_goes_home(self):
        self.client.force_login(self.alice)
        self.assertRedirects(self.client.post("/logout/", {"next": "/logout/"}), "/")

    def test_next_never_leads_off_the_site(self):
        self.assertRedirects(self.client.post("/logout/", {"next": "//evil.example"}), "/")


class LogoutGet(CastTestCase):
    def test_shows_a_button_and_ends_nothing(self):
        self.client.force_login(self.alice)
        response = self.client.get("/logout/")
        self.assertContains(response, "You are logged in as Alice.")
        self.assertTemplateUsed(response, "users/logout.html")
        self.assertLoggedInAs(self.alice)

    def test_stranger_goes_home(self):
        self.assertRedirects(self.client.get("/logout/"), "/")
