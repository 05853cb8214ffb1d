from hashlib import sha1
from unittest.mock import patch

import httpx
from django.conf import settings
from django.contrib.auth.password_validation import (
    get_password_validators,
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings

from blog_project.tests.test_settings import settings_with
from users.forms import RegisterForm
from users.models import User
from users.passwords import ContextWordsValidator

COMMON = "django.contrib.auth.password_validation.CommonPasswordValidator"
UNCOMMON = "correct horse battery staple"
BREACHED = "This password is known from a data breach."
NAMED = settings_with(DEBUG="true", SITE_NAME="Django Blog")["AUTH_PASSWORD_VALIDATORS"]


@override_settings(AUTH_PASSWORD_VALIDATORS=NAMED)
class PasswordRules(SimpleTestCase):
    def codes(self, password):
        """Return the codes of the errors that `password` has for Alice."""
        try:
            validate_password(password, User(username="Alice", email="liddell@wonder.example"))
        except ValidationError as error:
            return [each.code for each in error.error_list]
        return []

    def test_site_and_owner_do_not_make_a_password(self):
        for password in [
            "djangoblog",
            "DjangoBlog2026",
            "blogblog12",
            "alice-12345",
            "Liddell!!",
            "wonder4321",
            "alice.liddell.7",
            "ａｌｉｃｅａｌｉｃｅ",
            "Ｄｊａｎｇｏｂｌｏｇ1",
        ]:
            with self.subTest(password):
                self.assertIn("context_words", self.codes(password))

    def test_words_of_whoever_runs_the_site_count_in_every_case(self):
        validator = ContextWordsValidator(names=["Acme", "ÉCOLE"])
        for password in ["acme12345", "ACME-2026", "école1234", "Acme École 1"]:
            with self.subTest(password), self.assertRaises(ValidationError):
                validator.validate(password)
        validator.validate("at Acme we sell anvils")

    def test_they_may_stand_in_one(self):
        for password in [
            "my blog is long enough",
            "alice has a looking-glass",
            "alice-12345678",  # eight of it are left, and a sign
            "qwzx.7189",
        ]:
            with self.subTest(password):
                self.assertEqual(self.codes(password), [])

    def test_short_ones_are_told_what_is_wrong_with_them(self):
        self.assertEqual(self.codes("qwzx71"), ["password_too_short"])
        self.assertIn("context_words", self.codes("alice-123456"))

    def test_blanks_and_signs_add_nothing(self):
        for password in ["Django Blog 2026!!", "Django-Blog-1234-5"]:
            self.assertEqual(self.codes(password), ["context_words"])

    def test_the_longest_word_goes_first(self):
        with self.assertRaisesMessage(ValidationError, "little more than"):
            validate_password("annabella1234567", User(username="Anna", email="annabella@x.org"))

    def test_words_of_three_letters_are_in_too_many_others(self):
        validate_password("annual-99x", User(username="Ann", email="ann@x.org"))

    def test_last_part_of_an_address_is_nobodys_name(self):
        rule = ContextWordsValidator(names=[])
        rule.validate("museum-9x", User(username="Zed", email="zed@x.museum"))

    def test_long_ones_are_not_folded(self):
        with patch("users.passwords.fold_username") as fold:
            self.assertEqual(self.codes("alice" * 50), [])
        fold.assert_not_called()

    def test_without_an_owner_the_site_counts(self):
        with self.assertRaisesMessage(ValidationError, "little more than the name of this site"):
            validate_password("djangoblog1")

    def test_the_commonest_are_refused(self):
        for password in ["password1", "iloveyou", "football", "1qaz2wsx"]:
            with self.subTest(password):
                self.assertIn("password_too_common", self.codes(password))

    def test_3000_of_them_are_long_enough_for_our_other_rules(self):
        common = get_password_validators([{"NAME": COMMON}])[0].passwords
        self.assertGreater(len([password for password in common if len(password) >= 8]), 3_000)

    def test_no_rules_about_which_characters_and_long_ones_are_welcome(self):
        for password in ["aaaabbbbccccdddd", "пароль из слов", "x7" * 500, "🐎" * 20]:
            with self.subTest(password[:20]):
                self.assertEqual(self.codes(password), [])

    def test_forms_say_them_in_a_sentence_with_the_least_length(self):
        validators = settings.AUTH_PASSWORD_VALIDATORS
        longer = [
            {**each, "OPTIONS": {"min_length": 15}}
            for each in validators
            if "Minimum" in each["NAME"]
        ]
        for rules, least in [(validators, 8), (longer, 15), ([], 1)]:
            with self.subTest(least), self.settings(AUTH_PASSWORD_VALIDATORS=rules):
                form = RegisterForm()
                self.assertIn(f"At least {least} characters, and", form["password1"].help_text)
                self.assertEqual(form.fields["password1"].widget.attrs["minlength"], least)
                self.assertNotIn("minlength", form.fields["password2"].widget.attrs)

    def test_help_says_so(self):
        self.assertIn("name of this site", " ".join(password_validators_help_texts()))


class BreachedPasswords(SimpleTestCase):
    def check(self, password, answer):
        """Check `password` with the setting on, while the service gives `answer` or raises it."""
        rules = settings_with(DEBUG="true", CHECK_BREACHED_PASSWORDS="true")
        with (
            override_settings(AUTH_PASSWORD_VALIDATORS=rules["AUTH_PASSWORD_VALIDATORS"]),
            patch.object(httpx.Client, "get", side_effect=[answer]) as get,
        ):
            try:
                validate_password(password)
            finally:
                self.url = get.call_args.kwargs["url"]

    def answer(self, text):
        return httpx.Response(200, text=text, request=httpx.Request("GET", "https://x.example"))

    def test_are_not_looked_up_unless_asked(self):
        names = str(settings_with(DEBUG="true")["AUTH_PASSWORD_VALIDATORS"])
        self.assertNotIn("pwned", names)
        self.assertIn(COMMON, names)

    def test_are_refused_and_five_digits_of_the_hash_leave_the_site(self):
        digits = sha1(UNCOMMON.encode()).hexdigest().upper()
        answer = self.answer(f"{'0' * 35}:7\r\n{digits[5:]}:42")
        with self.assertRaisesMessage(ValidationError, BREACHED):
            self.check(UNCOMMON, answer)
        self.assertTrue(self.url.endswith(f"/range/{digits[:5]}"))

    def test_others_pass(self):
        self.check(UNCOMMON, self.answer("0" * 35 + ":7"))

    def test_service_that_is_away_lets_them_pass_but_for_the_common_ones_and_leaves_a_line(self):
        for trouble in [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")]:
            with self.assertLogs("pwned_passwords_django", "ERROR"):
                self.check(UNCOMMON, trouble)
            with self.assertRaises(ValidationError), self.assertLogs("pwned_passwords_django"):
                self.check("password1", trouble)
