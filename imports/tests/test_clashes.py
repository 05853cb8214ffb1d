from imports.tests.test_users import BARE, DATE, ImportUsersTestCase
from users.models import User


class Clashes(ImportUsersTestCase):
    def check(self, row, *reasons, **options):
        """Assert that `row` clashes for `reasons`, pairs of what is shown and words."""
        self.write(row)
        self.assertRefused(f"Clashes: {len(reasons)}. Nothing was imported.", **options)
        self.assertClashes(*(["user", "2", shown, reason] for shown, reason in reasons))

    def test_taken_here_by_somebody_else(self):
        self.check(
            ["ＡLICE", "dave@x.org", BARE, DATE],
            ("ＡLICE", "username: somebody here has it, with another email"),
            ("ＡLICE", "username: This site would write it with other letters."),
        )
        self.check(
            ["Dave", "Alice@example.com", BARE, DATE],
            ("Alice@example.com", "email: somebody here has it, under another username"),
        )
        self.check(
            ["Alice", "bob@example.com", BARE, DATE],
            ("Alice", "username: somebody here has it, with another email"),
            ("bob@example.com", "email: somebody here has it, under another username"),
        )

    def test_twice_in_the_source_whatever_the_case(self):
        self.write(
            ["Dave", "dave@x.org", BARE, DATE],
            ["DAVE", "erin@x.org", BARE, DATE],
            ["Erin", "DAVE@x.org", BARE, DATE],
            ["dave", "dave@X.org", BARE, DATE],
        )
        self.assertRefused("Clashes: 4.")
        clashes = [
            ["user", "3", "DAVE", "username: row 2 has the same"],
            ["user", "4", "DAVE@x.org", "email: row 2 has the same"],
            ["user", "5", "dave", "username: row 2 has the same"],
            ["user", "5", "dave@X.org", "email: row 2 has the same"],
        ]
        self.assertClashes(*clashes)
        self.run_import("--skip-clashes")
        self.assertClashes(*clashes)
        self.assertEqual(self.said, "Users: 1 imported, 0 already here, 3 skipped.\n")
        self.run_import("--skip-clashes")
        self.assertEqual(self.said, "Users: 0 imported, 1 already here, 3 skipped.\n")

    def test_row_that_clashes_keeps_no_name_from_others(self):
        self.write(["Dave", "no address", BARE, DATE], ["dave", "dave@x.org", BARE, DATE])
        self.run_import("--skip-clashes")
        self.assertTrue(User.objects.filter(username="dave").exists())

    def test_names_that_our_rules_refuse(self):
        for username, words in {
            "": "This field cannot be blank.",
            "D": "Ensure this value has at least 2 characters (it has 1).",
            "D" * 21: "Ensure this value has at most 20 characters (it has 21).",
            "Dave Jones": "Please use only letters, digits, “_”, “.” and “-”.",
            "Admin": "That username is reserved. Please choose a different one.",
            "Dаve": "Please use letters of one alphabet that cannot be mistaken for another’s.",
        }.items():
            with self.subTest(username):
                row = [username, "dave@x.org", BARE, DATE]
                self.check(row, (username, f"username: {words}"))

    def test_name_that_looks_like_another_ones(self):
        words = "username: it looks like somebody else's"
        User.objects.create_user("Cape", "cape@example.com")
        self.check(["Саре", "dave@x.org", BARE, DATE], ("Саре", words))
        User.objects.get(username="Cape").delete()
        self.write(["CAPE", "cape@x.org", BARE, DATE], ["Саре", "dave@x.org", BARE, DATE])
        self.assertRefused("Clashes: 1.")
        self.assertClashes(["user", "3", "Саре", words])
        self.write(["Саре", "dave@x.org", BARE, DATE])
        self.run_import()
        self.assertTrue(User.objects.filter(username="Саре").exists())

    def test_broken_addresses(self):
        invalid = "Enter a valid email address."
        too_long = f"{'d' * 64}@{'x' * 63}.{'x' * 63}.{'x' * 63}.org"
        for email, words in {
            "": "This field cannot be blank.",
            "dave": invalid,
            "dave@localhost": invalid,
            "d@x℀.org": invalid,
        }.items():
            self.check(["Dave", email, BARE, DATE], (email, f"email: {words}"))
        self.write(["Dave", too_long, BARE, DATE])
        self.assertRefused("Clashes: ")
        self.assertIn("at most 254 characters (it has 260).", self.table)

    def test_hashes_that_cannot_be_checked(self):
        kind = "Hash that cannot be checked here, or is damaged: "
        for value, words in {
            "": "This account has no password.",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA": f"{kind}argon2id.",
            BARE[:-1]: f"{kind}$2b$.",
        }.items():
            reason = f"password: {words}"
            self.check(["Dave", "dave@x.org", value, DATE], ("Dave", reason))

    def test_dates_that_do_not_parse(self):
        for date in [
            "",
            "yesterday",
            "2018-02-30 10:00:00",
            "20180501",
            "1525132800",
            "x" * 40,
            "0001-01-01 00:00:00+02:00",
        ]:
            reason = f"date_joined: “{date[:30]}” is no date."
            self.check(["Dave", "dave@x.org", BARE, date], ("Dave", reason))

    def test_everything_wrong_with_a_row_is_listed(self):
        self.write(["alice", "no", "no", "no"])
        self.assertRefused("Clashes: ")
        for field in ["username: ", "email: ", "password: ", "date_joined: "]:
            self.assertIn(field, self.table)

    def test_terminal_is_told_nothing(self):
        self.write(["\x1b[31mDave\n", "\u202eevad\udcff@x.org", BARE, DATE])
        self.assertRefused("Clashes: ")
        self.assertIn(r"\x1b[31mDave\n", self.table)
        self.assertIn(r"\u202eevad\udcff@x.org", self.table)
        self.assertNotIn("\x1b", self.table)

    def test_long_names_are_cut(self):
        self.write(["D" * 100, "dave@x.org", BARE, DATE])
        self.assertRefused("Clashes: ")
        self.assertIn(f"  {'D' * 39}…  username", self.table)
