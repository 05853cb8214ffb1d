from unittest.mock import patch

from testing.cast import PASSWORD, CastTestCase
from users.forms import ProfileForm, RegisterForm
from users.models import USERNAME_TAKEN, User

RESERVED = "That username is reserved. Please choose a different one."
CONFUSABLE = "Please use letters of one alphabet that cannot be mistaken for another’s."


class RegisterAsSomebodyElse(CastTestCase):
    def errors_of(self, username):
        data = {"username": username, "email": "dave@example.com"}
        form = RegisterForm({**data, "password1": PASSWORD, "password2": PASSWORD})
        return form.errors.get("username", [])

    def test_names_of_those_who_run_the_site_are_reserved(self):
        for username in ["admin", "Admin", "ROOT", "support", "www", "account", "ad.min", "_root_"]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username), [RESERVED])

    def test_what_reads_like_them_is_reserved_too(self):
        for username in ["adm1n", "AdmlN", "supp0rt", "admın", "ádmín", "ᴀᴅᴍɪɴ", "ɑdmin", "ᵃdmin"]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username), [RESERVED])

    def test_letters_of_two_alphabets_in_one_name_are_refused(self):
        for username in [
            "Аlice",  # a Cyrillic A
            "tοm",  # a Greek o
            "аdmin",  # a Cyrillic a
            "b٥b",  # an Arabic five
            "xლx",
        ]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username), [CONFUSABLE])

    def test_letters_that_spell_the_latin_name_of_somebody_are_taken(self):
        User.objects.create_user("Tom", "tom@example.com")
        for username in ["аӏісе", "ТОМ", "ΤΟΜ"]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username), [USERNAME_TAKEN])

    def test_letters_that_spell_a_reserved_latin_name_are_reserved(self):
        User.objects.all().delete()
        for username in ["аӏісе", "ТОМ", "Сара", "Роса"]:
            self.assertEqual(self.errors_of(username), [])
        self.assertEqual(self.errors_of("аро"), [])
        with patch("users.usernames.RESERVED_SKELETONS", {"capa"}):
            self.assertEqual(self.errors_of("Сара"), [RESERVED])

    def test_names_in_scripts_that_look_like_latin_throughout_are_refused(self):
        for username in ["ꓮꓓꓟꓲꓠ", "ᏴᎥᏞᏞ", "𗀀𗀁"]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username), [CONFUSABLE])

    def test_second_dot_on_an_i_is_refused(self):
        self.assertEqual(self.errors_of("Ali\u0307ce"), [CONFUSABLE])
        self.assertEqual(self.errors_of("İstanbul"), [])

    def test_names_in_one_alphabet_or_in_those_of_one_language_are_welcome(self):
        for username in [
            "Алиса",
            "Κώστας",
            "علي٥",
            "۵علی",
            "山田たろう",
            "カタカナABC",
            "김철수kim",
            "漢字ㄅㄆ",
            "Émile",
            "admin1.fan",
            "42",
        ]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username), [])


class ProfileOfSomebodyElse(CastTestCase):
    def errors_of(self, username):
        form = ProfileForm({"username": username}, instance=self.alice)
        return form.errors.get("username", [])

    def test_nobody_becomes_one_later(self):
        self.assertEqual(self.errors_of("admin"), [RESERVED])
        self.assertEqual(self.errors_of("Аlice"), [CONFUSABLE])

    def test_name_that_staff_gave_may_stay(self):
        self.alice.username = "admin"
        self.alice.save()
        self.assertEqual(self.errors_of("admin"), [])
