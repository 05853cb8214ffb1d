from unittest.mock import patch

import bcrypt
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.core import mail
from django.db import OperationalError
from django.test import TransactionTestCase, override_settings

from testing.cast import PASSWORD, CastTestCase
from users import hashers
from users.forms import LOGIN_UNSUCCESSFUL, LoginForm
from users.models import Kind, SecurityEvent, User
from users.tests.test_throttle import ELSEWHERE, ThrottleTestCase

LOGIN_REQUIRED = "Please log in to access this page."
TWO_WEEKS = 1209600  # seconds


class LoginGet(CastTestCase):
    def test_form_has_the_tutorials_words(self):
        response = self.client.get("/login/")
        for words in [
            "Log In",
            "Email",
            "Remember Me",
            "Forgot Password?",
            "Need An Account?",
            "Sign Up Now",
        ]:
            self.assertContains(response, words)

    def test_password_managers_know_the_fields(self):
        form = self.client.get("/login/").context["form"]
        self.assertEqual(form["username"].field.widget.input_type, "email")
        self.assertEqual(form["username"].field.widget.attrs["autocomplete"], "username")
        self.assertEqual(form["password"].field.widget.attrs["autocomplete"], "current-password")

    def test_plain_visit_says_nothing(self):
        self.assertNotContains(self.client.get("/login/"), LOGIN_REQUIRED)

    def test_visitor_of_a_guarded_page_is_told_in_blue(self):
        response = self.client.get("/account/", follow=True)
        self.assertRedirects(response, "/login/?next=/account/")
        self.assertContains(
            response,
            f'<div class="alert alert-info" role="status">{LOGIN_REQUIRED}</div>',
            count=1,
            html=True,
        )

    def test_message_is_gone_on_the_next_page(self):
        self.client.get("/account/", follow=True)
        self.assertNotContains(self.client.get("/login/"), LOGIN_REQUIRED)

    def test_member_is_sent_home(self):
        self.client.force_login(self.alice)
        self.assertRedirects(self.client.get("/login/"), "/")

    def test_member_with_next_is_sent_there(self):
        self.client.force_login(self.alice)
        self.assertRedirects(self.client.get("/login/?next=/account/"), "/account/")

    def test_member_whose_next_is_the_login_page_is_sent_home(self):
        self.client.force_login(self.alice)
        for next_url in ["/login/", "/login/?next=/login/", "#", "?", "?next=%23"]:
            with self.subTest(next_url):
                response = self.client.get("/login/", {"next": next_url}, follow=True)
                self.assertEqual(response.request["PATH_INFO"], "/")


class LoginPost(CastTestCase):
    def test_email_and_password_lead_home(self):
        self.assertRedirects(self.log_in(), "/")
        self.assertLoggedInAs(self.alice)

    def test_email_in_any_case_and_with_blanks_around_it(self):
        self.assertRedirects(self.log_in("  ALICE@Example.com "), "/")
        self.assertLoggedInAs(self.alice)

    def test_username_is_not_what_people_log_in_with(self):
        self.assertContains(self.log_in("Alice"), LOGIN_UNSUCCESSFUL)
        self.assertLoggedOut()

    def test_password_counts_in_its_case_and_blanks(self):
        for password in [PASSWORD.upper(), f" {PASSWORD}", PASSWORD[:-1]]:
            with self.subTest(password):
                self.assertContains(self.log_in(password=password), LOGIN_UNSUCCESSFUL)
                self.assertLoggedOut()

    def test_password_of_years_ago_is_as_good_as_any(self):
        User.objects.update(date_joined="1999-01-01T00:00Z", last_login="1999-01-01T00:00Z")
        self.assertRedirects(self.log_in(), "/")

    def test_failures_of_all_kinds_look_and_cost_alike(self):
        self.enterContext(patch.object(BCryptSHA256PasswordHasher, "rounds", 7))
        hashes = {
            "wrong": make_password(PASSWORD + "!"),
            "deactivated": make_password(PASSWORD),
            "unusable": make_password(None),
            "gibberish": "no-such-hasher$x",
        }
        for cost in [4, 5, 7]:
            old = bcrypt.hashpw(b"of the old site", bcrypt.gensalt(cost)).decode()
            hashes[f"imported{cost}"] = f"bcrypt${old}"
        for name, encoded in hashes.items():
            user = User(username=name, email=f"{name}@example.com", password=encoded)
            user.is_active = name != "deactivated"
            user.save()
        executor, seen = hashers.pool.executor, []
        for name in ["unknown", *hashes]:
            with (
                patch.object(executor, "submit", wraps=executor.submit) as runs,
                patch("bcrypt.hashpw", wraps=bcrypt.hashpw) as hashpw,
            ):
                response = self.log_in(f"{name}@example.com")
            self.assertContains(response, "Login Unsuccessful. Please check email and password")
            self.assertContains(response, "alert-danger")
            self.assertLoggedOut()
            self.assertEqual(runs.call_count, 1, name)
            # A salt says its cost: "$2b$07$" are 2 to the power of 7 rounds.
            rounds = sum(2 ** int(call.args[1].split(b"$")[2]) for call in hashpw.call_args_list)
            self.assertEqual(rounds, 2**7, name)
            seen.append((response.status_code, response.context["form"].errors))
        self.assertEqual(seen, seen[:1] * 8)

    def test_after_a_wrong_password_the_cursor_is_in_it(self):
        fields = self.log_in(password="wrong").context["form"].fields
        self.assertFalse(fields["username"].widget.attrs["autofocus"])
        self.assertTrue(fields["password"].widget.attrs["autofocus"])

    def test_empty_form_shows_an_error_under_each_field(self):
        errors = self.client.post("/login/").context["form"].errors
        required = ["This field is required."]
        self.assertEqual(errors, {"username": required, "password": required})

    def test_success_rotates_the_session_key(self):
        session = self.client.session
        session["seen"] = "before"
        session.save()
        self.log_in()
        self.assertNotEqual(self.client.session.session_key, session.session_key)
        self.assertEqual(self.client.session["seen"], "before")

    def test_password_is_not_sent_back(self):
        self.assertNotContains(self.log_in(password="my wrong secret"), "my wrong secret")


class LoginRemember(CastTestCase):
    def cookie_age(self):
        return self.client.cookies["sessionid"]["max-age"]

    def test_ticked_outlives_the_browser_by_two_weeks(self):
        self.log_in(remember="on")
        self.assertEqual(self.cookie_age(), TWO_WEEKS)

    def test_unticked_ends_with_the_browser(self):
        self.log_in()
        self.assertEqual(self.cookie_age(), "")

    def test_the_last_login_of_a_browser_counts(self):
        self.log_in(remember="on")
        self.client.post("/logout/")
        self.log_in()
        self.assertEqual(self.cookie_age(), "")
        self.client.post("/logout/")
        self.log_in(remember="on")
        self.assertEqual(self.cookie_age(), TWO_WEEKS)

    def test_a_session_left_from_before_does_not_decide(self):
        for left, remember, age in [(0, {"remember": "on"}, TWO_WEEKS), (TWO_WEEKS, {}, "")]:
            with self.subTest(age=age):
                session = self.client.session
                session.set_expiry(left)
                session.save()
                self.log_in(**remember)
                self.assertEqual(self.cookie_age(), age)
                self.client.post("/logout/")


class LoginNext(CastTestCase):
    def test_member_lands_on_the_page_they_wanted(self):
        self.assertRedirects(self.log_in(next_url="/account/"), "/account/")

    def test_a_failure_in_between_keeps_the_page_they_wanted(self):
        response = self.log_in(password="wrong", next_url="/account/")
        self.assertContains(response, '<form method="post" novalidate>')
        self.assertRedirects(self.log_in(next_url="/account/"), "/account/")

    def test_next_in_the_form_works_as_in_the_address(self):
        self.assertRedirects(self.log_in(next="/account/"), "/account/")

    def test_the_login_page_itself_is_nowhere(self):
        self.assertRedirects(self.log_in(next_url="/login/"), "/")

    @override_settings(LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES=10**6)
    def test_next_never_leads_off_the_site(self):
        for next_url in [
            "//evil.example",
            "///evil.example",
            "https://evil.example/",
            "https:///evil.example",
            "http:evil.example",
            "javascript:alert(1)",
            "data:text/html,hello",
            "ftp://testserver/",
            "\\\\evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\x00//evil.example",
            "\x08//evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "//testserver@evil.example",
            "",
        ]:
            for method in ["address", "form"]:
                with self.subTest(next_url=next_url, method=method):
                    credentials = {"username": "alice@example.com", "password": PASSWORD}
                    query = {"next": next_url}
                    if method == "address":
                        response = self.client.post("/login/", credentials, query_params=query)
                    else:
                        response = self.client.post("/login/", {**credentials, **query})
                    self.assertRedirects(response, "/")
                    self.client.post("/logout/")

    def test_a_next_off_the_site_shows_no_message(self):
        response = self.client.get("/login/", {"next": "//evil.example"})
        self.assertNotContains(response, LOGIN_REQUIRED)


class LoginWithoutADatabase(CastTestCase):
    def test_error_is_not_mistaken_for_a_deleted_account(self):
        with (
            patch.object(SecurityEvent, "save", side_effect=OperationalError("disk is full")),
            self.assertRaisesMessage(OperationalError, "disk is full"),
        ):
            self.log_in()
        self.assertLoggedOut()


class LoginOfAnAccountThatIsDeletedMeanwhile(TransactionTestCase):
    def test_is_a_strangers(self):
        def delete_first(form, user):
            User.objects.get(pk=user.pk).delete()

        User.objects.create_user("Dave", "dave@example.com", PASSWORD)
        credentials = {"username": "dave@example.com", "password": PASSWORD}
        with patch.object(LoginForm, "confirm_login_allowed", delete_first):
            self.assertRedirects(self.client.post("/login/", credentials), "/login/")
        self.assertNotIn("_auth_user_id", self.client.session)


class AfterFailures(ThrottleTestCase):
    """A login that may be a guess that was right, and the mail that tells the member."""

    WARNING = ("alice@example.com", "A login after many wrong passwords")

    def test_tenth_of_a_day_makes_a_mail_that_says_from_where(self):
        self.fail_all_over_the_world(10)
        self.assertMailed()
        self.assertLetIn(self.try_password(password=PASSWORD, ip=ELSEWHERE))
        self.assertIn(f"at {ELSEWHERE}", mail.outbox[0].body)
        self.assertRegex(mail.outbox[0].body, r"10\s+wrong\s+passwords")
        self.assertMailed(self.WARNING)
        events = self.alice.events.filter(kind=Kind.LOGIN_AFTER_FAILURES)
        self.assertEqual(events.get().ip, ELSEWHERE)

    def test_those_that_were_guessed_within_a_session_count_as_well(self):
        self.fail_all_over_the_world(10)
        self.alice.events.update(kind=Kind.CURRENT_PASSWORD_REFUSED)
        self.assertLetIn(self.try_password(password=PASSWORD, ip=ELSEWHERE))
        self.assertMailed(self.WARNING)

    def test_nine_do_not_nor_do_those_of_yesterday_or_of_others(self):
        self.fail_all_over_the_world(9)
        self.fail_all_over_the_world(10, "bob@example.com")
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertMailed()
        self.age(hours=24)
        self.fail(1)
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertMailed()

    def test_one_a_day_however_often_they_log_in(self):
        self.fail_all_over_the_world(10)
        for _ in range(3):
            self.assertLetIn(self.try_password(password=PASSWORD))
        self.age(hours=12)
        self.fail_all_over_the_world(10)
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertMailed(self.WARNING)
        self.age(hours=12)
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.assertMailed(self.WARNING)

    def test_wrong_passwords_alone_make_none(self):
        self.fail_all_over_the_world(20)
        self.assertMailed()
