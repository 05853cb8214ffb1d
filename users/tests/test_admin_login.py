from testing.cast import PASSWORD, CastTestCase
from users.models import SecurityEvent
from users.views.login import STAFF_ONLY


class AdminLogin(CastTestCase):
    def test_strangers_go_to_the_login_page_of_everybody_and_back(self):
        response = self.client.get("/admin/users/user/?q=a", follow=True)
        self.assertRedirects(response, "/login/?next=/admin/users/user/%3Fq%3Da")
        self.assertRedirects(
            self.log_in("carol@example.com", next_url="/admin/users/user/%3Fq%3Da"),
            "/admin/users/user/?q=a",
        )

    def test_plain_visit_leads_to_the_admin(self):
        self.assertRedirects(self.client.get("/admin/login/"), "/login/?next=/admin/")

    def test_next_never_leads_off_the_site(self):
        self.client.force_login(self.carol)
        for next_url in ["//evil.example", "https://evil.example/", "/\\evil.example"]:
            with self.subTest(next_url):
                response = self.client.get("/admin/login/", {"next": next_url}, follow=True)
                self.assertEqual(response.request["PATH_INFO"], "/")

    def test_staff_who_are_logged_in_go_straight_through(self):
        self.client.force_login(self.carol)
        response = self.client.get("/admin/login/", follow=True)
        self.assertEqual(response.request["PATH_INFO"], "/admin/")

    def test_members_are_told_that_it_is_for_staff(self):
        self.client.force_login(self.alice)
        for url in ["/admin/", "/admin/users/user/", "/admin/login/"]:
            with self.subTest(url):
                response = self.client.get(url, follow=True)
                self.assertContains(response, STAFF_ONLY, status_code=403)

    def test_password_is_changed_on_the_page_of_everybody(self):
        self.client.force_login(self.carol)
        for method in [self.client.get, self.client.post]:
            self.assertRedirects(method("/admin/password_change/"), "/account/password/")

    def test_logout_is_the_one_of_everybody(self):
        self.client.force_login(self.carol)
        response = self.client.post("/admin/logout/")
        self.assertRedirects(response, "/")
        self.assertEqual(response["Clear-Site-Data"], '"cache"')
        self.assertLoggedOut()
        self.assertEqual(SecurityEvent.objects.get().kind, "logout")

    def test_nobody_logs_in_by_posting_to_it(self):
        credentials = {"username": "carol@example.com", "password": PASSWORD}
        for url in ["/admin/login/", "/admin/login/?next=/admin/", "/admin/"]:
            self.client.post(url, credentials)
            self.assertLoggedOut()
