from django.contrib.auth.models import Group, Permission
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
        self.make_staff(self.bob, "view_user")
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


class StaffWhoAreNoSuperusers(CastTestCase):
    """Bob may do everything that permissions allow; Dave is staff, and Carol the superuser."""

    def setUp(self):
        self.dave = User.objects.create_user("Dave", "dave@example.com", PASSWORD)
        self.make_staff(self.dave)
        rights = Permission.objects.values_list("codename", flat=True)
        self.make_staff(self.bob, *rights)
        # A superuser without the flag of staff is one nevertheless: somebody may set it again.
        self.erin = User.objects.create_superuser("Erin", "erin@example.com", PASSWORD)
        User.objects.filter(pk=self.erin.pk).update(is_staff=False)
        self.client.force_login(self.bob)

    def change(self, user, **changes):
        data = {"username": user.username, "email": user.email, "is_active": "on", **changes}
        return self.client.post(f"/admin/users/user/{user.pk}/change/", data)

    def assertUntouched(self, *users):
        for user in users:
            self.assertEqual(User.objects.filter(pk=user.pk).values().get(), self.row[user])

    def remember(self, *users):
        self.row = {user: User.objects.filter(pk=user.pk).values().get() for user in users}

    def test_they_change_members(self):
        self.assertEqual(self.change(self.alice, username="Alicia").status_code, 302)
        self.assertEqual(User.objects.get(pk=self.alice.pk).username, "Alicia")
        self.assertEqual(self.change(self.alice, is_active="").status_code, 302)
        self.assertFalse(User.objects.get(pk=self.alice.pk).is_active)

    def test_no_page_changes_staff_not_even_themselves(self):
        staff = [self.bob, self.carol, self.dave, self.erin]
        self.remember(*staff)
        password = {"password1": PASSWORD + "!", "password2": PASSWORD + "!"}
        for user in staff:
            url = f"/admin/users/user/{user.pk}"
            for page, data in [
                ("change", {"username": "Mallory", "email": "mallory@example.com"}),
                ("change", {"username": user.username, "email": user.email}),  # not active
                ("change/?_popup=1", {"username": "Mallory", "email": user.email, "_popup": "1"}),
                ("password", {**password, "usable_password": "true"}),
                ("password", {"usable_password": "false", "unset-password": "1"}),
                ("delete", {"post": "yes"}),
            ]:
                page = page if "?" in page else f"{page}/"
                with self.subTest(f"{user} {page}"):
                    response = self.client.post(f"{url}/{page}", data)
                    self.assertEqual(response.status_code, 403)
                    self.assertUntouched(*staff)
        self.assertFalse(User.objects.filter(username="Mallory").exists())

    def test_no_action_touches_staff(self):
        self.log_in_elsewhere(self.alice)
        for user in [self.carol, self.dave, self.erin]:
            self.log_in_elsewhere(user)
        selected = [self.alice.pk, self.carol.pk, self.dave.pk, self.erin.pk]
        for data in [{}, {"select_across": "1"}]:
            data = {"_selected_action": selected, "post": "yes", **data}
            response = self.client.post(
                "/admin/users/user/", {**data, "action": "delete_selected"}, follow=True
            )
            self.assertEqual(response.status_code, 403)
            self.assertEqual(User.objects.count(), 5)
            response = self.client.post(
                "/admin/users/user/", {**data, "action": "end_sessions"}, follow=True
            )
            self.assertContains(response, "Ended all sessions of 1 user(s).")
            self.assertContains(response, "Only superusers change staff accounts")
        self.assertFalse(self.alice.sessions.exists())
        for user in [self.carol, self.dave, self.erin]:
            self.assertTrue(user.sessions.exists())

    def test_nobody_becomes_staff_or_gets_rights(self):
        group = Group.objects.create(name="Editors")
        rights = {
            "is_staff": "on",
            "is_superuser": "on",
            "groups": [group.pk],
            "user_permissions": [Permission.objects.first().pk],
        }
        self.change(self.alice, username="Alicia", **rights)
        data = {"username": "Mallory", "email": "mallory@example.com", "usable_password": "false"}
        self.client.post("/admin/users/user/add/", {**data, **rights})
        data = {**data, "username": "Trent", "email": "trent@example.com", "_saveasnew": "1"}
        self.client.post(f"/admin/users/user/{self.carol.pk}/change/", {**data, **rights})
        for name in ["Alicia", "Mallory", "Trent"]:
            user = User.objects.get(username=name)
            self.assertEqual((user.is_staff, user.is_superuser), (False, False))
            self.assertEqual(user.groups.count() + user.user_permissions.count(), 0)

    def test_groups_are_to_be_read(self):
        group = Group.objects.create(name="Editors")
        self.bob.groups.add(group)
        data = {"name": "Mallory", "permissions": [Permission.objects.first().pk], "post": "yes"}
        for page in ["add", f"{group.pk}/change", f"{group.pk}/delete"]:
            response = self.client.post(f"/admin/auth/group/{page}/", data)
            self.assertEqual(response.status_code, 403, page)
        data = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
        self.client.post("/admin/auth/group/", data)
        self.assertEqual(list(Group.objects.values_list("name", flat=True)), ["Editors"])
        self.assertFalse(group.permissions.exists())
        self.assertContains(self.client.get("/admin/auth/group/"), "Editors")

    def test_what_they_may_not_change_is_shown_without_a_field_or_a_part_of_the_hash(self):
        for user in [self.carol, self.dave, self.bob]:
            response = self.client.get(f"/admin/users/user/{user.pk}/change/")
            self.assertContains(response, user.email)
            for words in ['name="email"', 'name="is_staff"', "../password/", "bcrypt"]:
                self.assertNotContains(response, words)
        response = self.client.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(response, 'name="email"')
        self.assertContains(response, "../password/")
        self.assertNotContains(response, 'name="is_staff"')

    def test_superusers_do_all_that(self):
        self.client.force_login(self.carol)
        self.assertEqual(self.change(self.dave, is_superuser="on").status_code, 302)
        self.dave.refresh_from_db()
        self.assertEqual((self.dave.is_staff, self.dave.is_superuser), (False, True))
        group = Group.objects.create(name="Editors")
        right = Permission.objects.first()
        data = {"name": "Writers", "permissions": [right.pk]}
        self.client.post(f"/admin/auth/group/{group.pk}/change/", data)
        self.assertEqual(list(group.permissions.all()), [right])
        self.log_in_elsewhere(self.bob)
        data = {"_selected_action": [self.bob.pk], "post": "yes"}
        self.client.post("/admin/users/user/", {**data, "action": "end_sessions"})
        self.assertFalse(self.bob.sessions.exists())
        self.client.post("/admin/users/user/", {**data, "action": "delete_selected"})
        self.assertFalse(User.objects.filter(pk=self.bob.pk).exists())
