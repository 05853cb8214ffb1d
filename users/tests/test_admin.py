from django.contrib.auth.models import Permission
from django.utils import timezone

from testing.cast import PASSWORD, CastTestCase
from users.models import EMAIL_TAKEN, USERNAME_TAKEN, User


class AdminTestCase(CastTestCase):
    def setUp(self):
        self.client.force_login(self.carol)


class UserList(AdminTestCase):
    def test_newest_first_with_what_staff_look_for(self):
        response = self.client.get("/admin/users/user/")
        users = list(response.context["cl"].queryset)
        self.assertEqual(users, [self.carol, self.bob, self.alice])
        for heading in ["Username", "Email", "Date joined", "Last login", "Active", "Staff status"]:
            self.assertContains(response, heading)

    def test_search_by_username_or_email(self):
        for words in ["ali", "ALICE", "Alice@Exam", " Alice@Example.com "]:
            response = self.client.get("/admin/users/user/", {"q": words})
            self.assertEqual(list(response.context["cl"].queryset), [self.alice])
        with self.assertNumQueries(5):  # and none for beginnings
            self.client.get("/admin/users/user/", {"q": "alice@example.com"})
        User.objects.filter(pk=self.bob.pk).update(username="Émile", username_folded="émile")
        response = self.client.get("/admin/users/user/", {"q": "ÉMI"})
        self.assertEqual([user.pk for user in response.context["cl"].queryset], [self.bob.pk])
        response = self.client.get("/admin/users/user/", {"q": "lice"})
        self.assertEqual(list(response.context["cl"].queryset), [])

    def test_filters(self):
        response = self.client.get("/admin/users/user/", {"is_staff__exact": 1})
        self.assertEqual(list(response.context["cl"].queryset), [self.carol])

    def test_members_who_are_not_staff_do_not_get_in(self):
        self.client.force_login(self.alice)
        self.assertEqual(self.client.get("/admin/users/user/").status_code, 302)


class UserSessions(AdminTestCase):
    def test_staff_see_where_a_member_is_logged_in_and_no_key(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        response = self.client.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(response, "Unknown device at 127.0.0.1")
        self.assertNotContains(response, elsewhere.session.session_key)

    def test_staff_see_no_key_when_they_delete_a_member(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        response = self.client.get(f"/admin/users/user/{self.alice.pk}/delete/")
        self.assertContains(response, elsewhere.session.digest)
        self.assertNotContains(response, elsewhere.session.session_key)

    def test_staff_end_the_sessions_of_a_member(self):
        elsewhere, bobs = self.log_in_elsewhere(self.alice), self.log_in_elsewhere(self.bob)
        response = self.client.post(
            "/admin/users/user/",
            {"action": "end_sessions", "_selected_action": [self.alice.pk]},
            follow=True,
        )
        self.assertContains(response, "Ended all sessions of 1 user(s).")
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")
        self.assertEqual(bobs.get("/account/").status_code, 200)

    def test_who_may_only_look_ends_nothing(self):
        self.bob.is_staff = True
        self.bob.save()
        self.bob.user_permissions.set(Permission.objects.filter(codename="view_user"))
        bobs = self.log_in_elsewhere(self.bob)
        data = {"action": "end_sessions", "_selected_action": [self.carol.pk]}
        bobs.post("/admin/users/user/", data)
        self.assertTrue(self.carol.sessions.exists())

    def test_staff_do_not_end_the_session_they_are_in(self):
        self.log_in_elsewhere(self.carol)
        data = {"action": "end_sessions", "_selected_action": [self.carol.pk]}
        self.client.post("/admin/users/user/", data)
        self.assertEqual(self.carol.sessions.get().pk, self.client.session.digest)

    def test_staff_end_them_by_setting_a_password(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        password = "another unusual sentence"
        self.client.post(
            f"/admin/users/user/{self.alice.pk}/password/",
            {"password1": password, "password2": password, "usable_password": "true"},
        )
        self.assertFalse(self.alice.sessions.exists())
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")

    def test_staff_end_them_by_deactivating_the_member(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        self.client.post(
            f"/admin/users/user/{self.alice.pk}/change/",
            {"username": "Alice", "email": "alice@example.com"},
        )
        self.assertFalse(self.alice.sessions.exists())
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")


class UserPage(AdminTestCase):
    def change(self, user, **changes):
        data = {
            "username": user.username,
            "email": user.email,
            "is_active": "on",
            **changes,
        }
        return self.client.post(f"/admin/users/user/{user.pk}/change/", data)

    def test_hash_shows_as_algorithm_and_cost_and_never_whole(self):
        response = self.client.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(response, "bcrypt_sha256")
        self.assertContains(response, "work factor")
        for part in [self.alice.password, self.alice.password.rpartition("$")[2]]:
            self.assertNotContains(response, part)

    def test_change_is_saved_and_keeps_the_password(self):
        self.assertRedirects(self.change(self.alice, username="Alicia"), "/admin/users/user/")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.username, "Alicia")
        self.assertTrue(self.alice.check_password(PASSWORD))

    def test_another_email_is_not_confirmed_and_the_same_one_stays_so(self):
        User.objects.filter(pk=self.alice.pk).update(email_confirmed_at=timezone.now())
        self.change(self.alice, username="Alicia")
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.email_confirmed_at)
        self.change(self.alice, email="new@example.com")
        self.alice.refresh_from_db()
        self.assertIsNone(self.alice.email_confirmed_at)

    def test_saving_unchanged_is_no_duplicate(self):
        self.assertRedirects(self.change(self.alice), "/admin/users/user/")

    def test_taken_email_or_username_in_another_case_is_a_form_error(self):
        for changes, words in [
            ({"email": "Bob@Example.com"}, EMAIL_TAKEN),
            ({"username": "BOB"}, USERNAME_TAKEN),
        ]:
            with self.subTest(changes):
                self.assertContains(self.change(self.alice, **changes), words)
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, "alice@example.com")


class UserAdd(AdminTestCase):
    def add(self, **changes):
        data = {
            "username": "Dave",
            "email": "Dave@example.com",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        return self.client.post("/admin/users/user/add/", {**data, **changes})

    def test_asks_for_the_email_and_stores_it_lower_case(self):
        self.assertContains(self.client.get("/admin/users/user/add/"), 'name="email"')
        self.assertEqual(self.add().status_code, 302)
        self.assertTrue(User.objects.get(email="dave@example.com").check_password(PASSWORD))

    def test_taken_email_or_username_in_another_case_is_a_form_error(self):
        for changes, words in [
            ({"email": "ALICE@example.com"}, EMAIL_TAKEN),
            ({"username": "ALICE"}, USERNAME_TAKEN),
        ]:
            with self.subTest(changes):
                self.assertContains(self.add(**changes), words)
        self.assertEqual(User.objects.count(), 3)
