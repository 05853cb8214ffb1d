from unittest.mock import patch

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client
from django.utils import timezone

from testing.cast import PASSWORD, CastTestCase, MailTestCase
from users.models import DEFAULT_PICTURE, EMAIL_TAKEN, USERNAME_TAKEN, User
from users.tests.test_profile import ProfileTestCase, picture

NEW_PASSWORD = "another unusual sentence"


class AdminTestCase(CastTestCase):
    def setUp(self):
        self.client.force_login(self.carol)


class UserList(AdminTestCase):
    def test_newest_first_with_what_staff_look_for(self):
        response = self.client.get("/admin/users/user/")
        users = list(response.context["cl"].queryset)
        self.assertEqual(users, [self.carol, self.bob, self.alice])
        for heading in ["Username", "Email", "Last login", "Active", "Staff status"]:
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
        data = {"username": "Dave", "email": "Dave@example.com"}
        return self.client.post("/admin/users/user/add/", {**data, **changes})

    def test_asks_for_the_email_and_stores_it_lower_case(self):
        self.assertContains(self.client.get("/admin/users/user/add/"), 'name="email"')
        self.assertEqual(self.add().status_code, 302)
        self.assertTrue(User.objects.filter(email="dave@example.com").exists())

    def test_nobody_chooses_the_password(self):
        self.assertNotContains(self.client.get("/admin/users/user/add/"), "password1")
        self.add(usable_password="true", password1=PASSWORD, password2=PASSWORD, password=PASSWORD)
        dave = User.objects.get(email="dave@example.com")
        self.assertFalse(dave.has_usable_password())
        self.assertFalse(dave.check_password(PASSWORD))

    def test_taken_email_or_username_in_another_case_is_a_form_error(self):
        for changes, words in [
            ({"email": "ALICE@example.com"}, EMAIL_TAKEN),
            ({"username": "ALICE"}, USERNAME_TAKEN),
        ]:
            with self.subTest(changes):
                self.assertContains(self.add(**changes), words)
        self.assertEqual(User.objects.count(), 3)


class PasswordLink(MailTestCase):
    """What the admin has in the place of a field for a password (ASVS 6.4.6)."""

    def setUp(self):
        super().setUp()
        self.make_staff(self.bob, "view_user", "change_user", "add_user")
        self.client.force_login(self.bob)

    def send(self, user, **data):
        return self.client.post(f"/admin/users/user/{user.pk}/password/", data, follow=True)

    def set_password(self):
        """Follow the link in the mail as its reader, and set a password there."""
        page = Client().get(self.link(), follow=True)
        password = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        return page.client.post(page.redirect_chain[-1][0], password, follow=True)

    def test_page_asks_and_sends_nothing_by_itself(self):
        page = self.client.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(page, 'href="../password/"')
        response = self.client.get(f"/admin/users/user/{self.alice.pk}/password/")
        self.assertContains(response, "alice@example.com gets a link")
        self.assertNotContains(response, 'type="password"')
        self.assertMailed()

    def test_member_gets_it_and_sets_a_password_with_it(self):
        elsewhere = self.log_in_elsewhere(self.alice)
        response = self.send(self.alice)
        self.assertRedirects(response, f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(
            response, "A link to set a password is on its way to alice@example.com."
        )
        self.assertNotContains(response, "/password-reset/")
        self.assertIn("The people who run this site ask you", mail.outbox[0].body)
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password(PASSWORD))  # until then
        self.assertEqual(elsewhere.get("/account/").status_code, 200)
        self.set_password()
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.check_password(NEW_PASSWORD))
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")
        entry = LogEntry.objects.latest("pk")
        self.assertEqual((entry.user, entry.object_id), (self.bob, str(self.alice.pk)))
        self.assertEqual(entry.change_message, "Sent a link to set a password.")

    def test_whatever_is_posted_sets_no_password(self):
        before = self.alice.password
        password = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "password": NEW_PASSWORD}
        self.send(self.alice, **password, usable_password="true")
        self.send(self.alice, usable_password="false", **{"unset-password": "1"})
        data = {"username": "Alice", "email": "alice@example.com", "is_active": "on", **password}
        self.client.post(f"/admin/users/user/{self.alice.pk}/change/", data)
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.password, before)

    def test_it_reaches_whom_staff_added(self):
        data = {"username": "Dave", "email": "dave@example.com"}
        self.client.post("/admin/users/user/add/", data)
        self.assertMailed()
        dave = User.objects.get(username="Dave")
        self.send(dave)
        self.set_password()
        self.assertRedirects(self.log_in("dave@example.com", NEW_PASSWORD), "/")

    def test_strangers_still_send_none_to_an_account_without_a_usable_password(self):
        self.alice.set_unusable_password()
        self.alice.save()
        self.client.post("/password-reset/", {"email": "alice@example.com"})
        self.assertMailed(("alice@example.com", "No account with this email"))
        self.send(self.alice)
        self.assertMailed(("alice@example.com", "Set a new password"))

    def test_deactivated_member_sets_one_and_is_let_in_once_staff_say_so(self):
        User.objects.filter(pk=self.alice.pk).update(is_active=False)
        self.send(self.alice)
        self.set_password()
        for active, password, status in [
            (False, NEW_PASSWORD, 200),
            (True, PASSWORD, 200),
            (True, NEW_PASSWORD, 302),
        ]:
            User.objects.filter(pk=self.alice.pk).update(is_active=active)
            self.client.logout()
            self.assertEqual(self.log_in(password=password).status_code, status)

    def test_mail_server_that_is_down_is_told(self):
        with patch("django.core.mail.EmailMessage.send", side_effect=OSError):
            response = self.send(self.alice)
        self.assertContains(response, "The mail could not be sent.")
        self.assertNotContains(response, "on its way")

    def test_only_who_may_change_the_member_sends_one(self):
        for user in [self.carol, self.bob]:
            self.assertEqual(self.send(user).status_code, 403)
        self.make_staff(self.bob, "view_user")
        self.client.force_login(User.objects.get(pk=self.bob.pk))
        self.assertEqual(self.send(self.alice).status_code, 403)
        self.assertMailed()


class UserPicture(ProfileTestCase):
    """Alice, and Carol the superuser, have uploaded a picture. Bob looks after members."""

    def setUp(self):
        super().setUp()
        for user in [self.carol, self.alice]:
            self.client.force_login(user)
            self.update(picture(), username=user.username)
        self.alice.refresh_from_db()
        self.make_staff(self.bob, "view_user", "change_user")
        self.client.force_login(self.bob)

    def remove(self, *users):
        data = {"action": "remove_pictures", "_selected_action": [user.pk for user in users]}
        return self.client.post("/admin/users/user/", data, follow=True)

    def test_staff_see_it_on_the_page_of_the_member(self):
        response = self.client.get(f"/admin/users/user/{self.alice.pk}/change/")
        self.assertContains(response, f'<img src="{self.alice.picture_url}"')

    def test_staff_remove_it_and_the_file_is_gone(self):
        response = self.remove(self.alice, self.bob)
        self.assertContains(response, "Removed the pictures of 1 user(s).")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.picture.name, DEFAULT_PICTURE)
        self.assertEqual(len(self.files()), 1)  # Carol's
        self.assertEqual(LogEntry.objects.get().change_message, "Removed the picture.")

    def test_that_of_staff_stays_and_so_does_every_one_for_whoever_may_only_look(self):
        self.assertContains(self.remove(self.carol), "Only superusers change staff accounts")
        self.make_staff(self.bob, "view_user")
        self.client.force_login(User.objects.get(pk=self.bob.pk))
        self.remove(self.alice)
        self.assertEqual(len(self.files()), 2)
        for user in [self.alice, self.carol]:
            self.assertNotEqual(User.objects.get(pk=user.pk).picture.name, DEFAULT_PICTURE)


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
