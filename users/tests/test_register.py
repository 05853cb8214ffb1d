from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import patch

from django.contrib.messages import get_messages
from django.db import IntegrityError, connection
from django.test import Client, TransactionTestCase

from testing.cast import PASSWORD, CastTestCase
from users.forms import RegisterForm
from users.models import EMAIL_TAKEN, USERNAME_TAKEN, SecurityEvent, User
from users.views.login import LOGIN_REQUIRED

VALID_DATA = {
    "username": "Dave",
    "email": "dave@example.com",
    "password1": "an unusual sentence",
    "password2": "an unusual sentence",
}


class RegisterGet(CastTestCase):
    def test_form_has_the_tutorials_words(self):
        response = self.client.get("/register/")
        for words in ["Join Today", "Sign Up", "Already Have An Account?", "Sign In"]:
            self.assertContains(response, words)

    def test_password_managers_know_the_fields(self):
        form = self.client.get("/register/").context["form"]
        tokens = {name: form[name].field.widget.attrs["autocomplete"] for name in form.fields}
        self.assertEqual(
            tokens,
            {
                "username": "nickname",
                "email": "email",
                "password1": "new-password",
                "password2": "new-password",
            },
        )

    def test_member_is_sent_home(self):
        self.client.force_login(self.alice)
        self.assertRedirects(self.client.get("/register/"), "/")

    def test_member_cannot_register_again(self):
        self.client.force_login(self.alice)
        self.assertRedirects(self.client.post("/register/", VALID_DATA), "/")
        self.assertFalse(User.objects.with_username("Dave").exists())


class RegisterPost(CastTestCase):
    def register(self, **changes):
        return self.client.post("/register/", {**VALID_DATA, **changes})

    def assertRefused(self, response, **errors):
        """Assert that the form shows exactly `errors` (field=words) and stored nothing."""
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.context["form"].errors, {k: [v] for k, v in errors.items()})
        for words in errors.values():
            self.assertContains(response, words)
        self.assertEqual(User.objects.count(), 3)

    def test_valid_data_makes_a_user_with_a_bcrypt_hash(self):
        self.register()
        user = User.objects.get(email="dave@example.com")
        self.assertEqual(user.username, "Dave")
        self.assertEqual(user.picture.name, "default.jpg")
        self.assertTrue(user.password.startswith("bcrypt_sha256$$2b$"))
        self.assertTrue(user.check_password("an unusual sentence"))
        self.assertFalse(user.is_staff or user.is_superuser)

    def test_valid_data_leads_to_the_login_page_with_a_green_message(self):
        response = self.client.post("/register/", VALID_DATA, follow=True)
        self.assertRedirects(response, "/login/")
        words = "Your account has been created! You are now able to log in"
        self.assertContains(
            response, f'<div class="alert alert-success" role="status">{words}</div>', html=True
        )
        self.assertLoggedOut()

    def test_email_is_filled_in_at_the_login_until_a_logout(self):
        response = self.client.post("/register/", VALID_DATA, follow=True)
        form = response.context["form"]
        self.assertEqual(form["username"].value(), "dave@example.com")
        self.assertNotIn("dave", response.request["QUERY_STRING"])
        self.assertTrue(form.fields["password"].widget.attrs["autofocus"])
        self.log_in("dave@example.com", VALID_DATA["password1"])
        self.client.post("/logout/")
        self.assertIsNone(self.client.get("/login/").context["form"]["username"].value())

    def test_the_page_that_was_wanted_at_first_is_where_the_login_leads(self):
        response = self.client.get("/account/data/?page=1", follow=True)
        register = "/register/?next=%2Faccount%2Fdata%2F%3Fpage%3D1"
        self.assertContains(response, f'<a href="{register}">Sign Up Now</a>', html=True)
        login = "/login/?next=%2Faccount%2Fdata%2F%3Fpage%3D1"
        response = self.client.get(register)
        self.assertContains(response, f'<a href="{login}">Sign In</a>', html=True)
        response = self.client.post(register, {**VALID_DATA, "email": "alice@example.com"})
        self.assertContains(response, f'href="{login}">Log in</a>')
        response = self.client.post(register, VALID_DATA)
        self.assertRedirects(response, "/login/?next=/account/data/%3Fpage%3D1")
        self.assertNotContains(self.client.get(response.url), LOGIN_REQUIRED)
        fields = {"username": VALID_DATA["email"], "password": VALID_DATA["password1"]}
        response = self.client.post(response.url, fields)
        self.assertRedirects(response, "/account/data/?page=1")
        self.assertRedirects(self.client.get(register), "/account/data/?page=1")

    def test_next_never_leads_off_the_site_nor_in_circles(self):
        off = ["//evil.example", "https://evil.example/", "javascript:alert(1)", ""]
        for number, next_page in enumerate(off):
            with self.subTest(next_page):
                url = f"/register/?next={next_page}"
                self.assertNotContains(self.client.get(url), "evil")
                who = {"username": f"Dave{number}", "email": f"dave{number}@example.com"}
                self.assertRedirects(self.client.post(url, {**VALID_DATA, **who}), "/login/")
        self.client.force_login(self.alice)
        for next_page in ["//evil.example", "/register/", "#"]:
            with self.subTest(member=next_page):
                response = self.client.get("/register/", {"next": next_page})
                self.assertRedirects(response, "/")

    def test_nobody_can_make_themselves_staff(self):
        self.register(is_staff="on", is_superuser="on")
        user = User.objects.get(email="dave@example.com")
        self.assertFalse(user.is_staff or user.is_superuser)

    def test_nothing_is_asked_but_name_address_and_password(self):
        fields = list(self.client.get("/register/").context["form"].fields)
        self.assertEqual(fields, ["username", "email", "password1", "password2"])

    def test_empty_form_shows_an_error_under_each_field(self):
        required = "This field is required."
        self.assertRefused(
            self.client.post("/register/"),
            username=required,
            email=required,
            password1=required,
            password2=required,
        )

    def test_taken_username_in_any_case_is_refused(self):
        for username in ["Alice", "aLICE", "ＡＬＩＣＥ"]:
            with self.subTest(username):
                self.assertRefused(self.register(username=username), username=USERNAME_TAKEN)

    def test_taken_email_in_any_case_is_refused(self):
        for email in ["alice@example.com", "Alice@Example.COM", " alice@example.com "]:
            with self.subTest(email):
                self.assertRefused(self.register(email=email), email=EMAIL_TAKEN)

    def test_taken_email_offers_the_ways_in(self):
        offer = "Is that email yours?"
        self.assertContains(self.register(email="alice@example.com"), offer)
        for response in [self.client.get("/register/"), self.register(username="alice")]:
            self.assertNotContains(response, offer)

    def test_both_taken_show_both_errors(self):
        response = self.register(username="Bob", email="alice@example.com")
        self.assertRefused(
            response,
            username="That username is taken. Please choose a different one.",
            email="That email is taken. Please choose a different one.",
        )

    def test_username_is_stored_normalised_and_email_in_lower_case(self):
        self.register(username=" Ｄave ", email=" Dave@Example.COM ")
        user = User.objects.get(email="dave@example.com")
        self.assertEqual(user.username, "Dave")

    def test_email_is_checked_as_it_would_be_stored(self):
        response = self.register(email="a@x℀.org")  # in NFKC: a@xa/c.org
        self.assertRefused(response, email="Enter a valid email address.")

    def test_usernames_of_other_scripts_are_welcome(self):
        for number, username in enumerate(["Łukasz", "Ольга", "小明", "हिन्दी", "o_o.-2"]):
            with self.subTest(username):
                response = self.register(username=username, email=f"{number}@example.com")
                self.assertRedirects(response, "/login/")

    def test_passwords_must_match(self):
        response = self.register(password2="something else")
        self.assertRefused(response, password2="The two password fields didn’t match.")

    def test_password_rules(self):
        bad = {
            "short": "sevenxx",
            "common": "password123",
            "like the username": "pine-marten1",
            "like the email": "dave@example.com",
        }
        for reason, password in bad.items():
            with self.subTest(reason):
                response = self.register(
                    username="PineMarten", password1=password, password2=password
                )
                self.assertEqual(list(response.context["form"].errors), ["password1"])
        self.assertEqual(User.objects.count(), 3)

    def test_no_rule_says_which_characters_a_password_has(self):
        for number, password in enumerate(["8264910375", "ксилофонист", "🐎🔋📎" * 43]):
            with self.subTest(password):
                email = f"{number}@example.com"
                response = self.register(
                    username=f"user{number}", email=email, password1=password, password2=password
                )
                self.assertRedirects(response, "/login/")
                self.assertTrue(User.objects.get(email=email).check_password(password))

    def test_blanks_in_a_password_count(self):
        self.register(password1="  spaced out  ", password2="  spaced out  ")
        user = User.objects.get(email="dave@example.com")
        self.assertTrue(user.check_password("  spaced out  "))
        self.assertFalse(user.check_password("spaced out"))


class RegisterRace(CastTestCase):
    """Somebody takes the name or the address between the form's look and its save."""

    def register_after(self, username, email):
        save = RegisterForm.save

        def save_second(form, commit=True):
            User.objects.create_user(username, email, PASSWORD)
            return save(form, commit)

        with patch.object(RegisterForm, "save", save_second):
            return self.client.post("/register/", VALID_DATA)

    def test_loser_of_the_username_gets_the_form_error(self):
        response = self.register_after("DAVE", "other@example.com")
        self.assertEqual(response.context["form"].errors, {"username": [USERNAME_TAKEN]})
        self.assertEqual(User.objects.count(), 4)

    def test_loser_of_the_email_gets_the_form_error(self):
        response = self.register_after("Other", "DAVE@example.com")
        self.assertEqual(response.context["form"].errors, {"email": [EMAIL_TAKEN]})
        self.assertEqual(User.objects.count(), 4)
        self.assertEqual(SecurityEvent.objects.get().kind, "e-mail tried")

    def test_loser_of_both_gets_both_and_no_success_message(self):
        response = self.register_after("Dave", "dave@example.com")
        self.assertEqual(
            response.context["form"].errors,
            {"username": [USERNAME_TAKEN], "email": [EMAIL_TAKEN]},
        )
        self.assertEqual(list(get_messages(response.wsgi_request)), [])

    def test_another_integrity_error_is_not_mistaken_for_a_duplicate(self):
        with (
            patch.object(User, "save", side_effect=IntegrityError("disk on fire")),
            self.assertRaisesMessage(IntegrityError, "disk on fire"),
        ):
            self.client.post("/register/", VALID_DATA)


class RegisterAtTheSameTime(TransactionTestCase):
    def test_two_simultaneous_sign_ups_make_one_user(self):
        both_are_valid = Barrier(2, timeout=10)
        save = RegisterForm.save

        def save_together(form, commit=True):
            both_are_valid.wait()
            return save(form, commit)

        def register(_):
            try:
                return Client().post("/register/", VALID_DATA).status_code
            finally:
                connection.close()

        with patch.object(RegisterForm, "save", save_together), ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(register, range(2)))
        self.assertEqual(sorted(statuses), [200, 302])
        self.assertEqual(User.objects.count(), 1)
