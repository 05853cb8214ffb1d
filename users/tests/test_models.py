from unittest.mock import patch

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import TransactionTestCase, tag
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from testing.cast import PASSWORD, CastTestCase
from users.forms import RegisterForm
from users.models import AuthenticatorApp, FormerEmail, Passkey, RecoveryCode, User


class Uniqueness(CastTestCase):
    def assertForbiddenByTheDatabase(self, action):
        with self.assertRaises(IntegrityError), transaction.atomic():
            action()

    def test_username_in_another_case(self):
        for username in ["alice", "ALICE", "ＡＬＩＣＥ"]:
            with self.subTest(username):
                self.assertForbiddenByTheDatabase(
                    lambda username=username: User.objects.create_user(username, "x@example.com")
                )

    def test_username_in_another_case_of_another_script(self):
        User.objects.create_user("Émile", "emile@example.com")
        User.objects.create_user("Straße", "strasse@example.com")
        for username in ["émile", "ÉMILE", "E\u0301mile", "STRASSE"]:
            with self.subTest(username):
                self.assertForbiddenByTheDatabase(
                    lambda username=username: User.objects.create_user(username, "x@example.com")
                )

    def test_username_whose_letters_fold_and_then_compose(self):
        User.objects.create_user("\u04e7x", "x@example.com")
        self.assertForbiddenByTheDatabase(
            lambda: User.objects.create_user("\u1c82\u0308x", "y@example.com")
        )

    def test_username_written_in_bulk(self):
        rows = [User(username="ALICE", email="x@example.com")]
        self.assertForbiddenByTheDatabase(lambda: User.objects.bulk_create(rows))

    def test_username_changed_alone(self):
        self.bob.username = "ALICE"
        self.assertForbiddenByTheDatabase(lambda: self.bob.save(update_fields=["username"]))
        self.bob.username = "Robert"
        self.bob.save(update_fields=["username"])
        self.assertEqual(User.objects.with_username("ROBERT").get().username, "Robert")

    def test_longest_username_fits_when_folded(self):
        user = User.objects.create_user("ß" * 20, "x@example.com")
        self.assertEqual(User.objects.with_username("SS" * 20).get(), user)

    def test_email_in_another_case(self):
        self.assertForbiddenByTheDatabase(
            lambda: User.objects.create_user("X", "ALICE@example.com")
        )

    def test_email_in_another_case_past_the_manager(self):
        self.assertForbiddenByTheDatabase(
            lambda: User.objects.filter(pk=self.bob.pk).update(email="Alice@example.com")
        )


class EmailNormalisation(CastTestCase):
    def test_create_user_and_natural_key_share_it(self):
        user = User.objects.create_user("Dave", " Dave@Example.COM ")
        self.assertEqual(user.email, "dave@example.com")
        self.assertEqual(User.objects.get_by_natural_key(" DAVE@example.com"), user)

    def test_one_mailbox_has_one_spelling(self):
        for spellings in [
            ["a@émile.fr", "a@E\u0301MILE.fr", "a@xn--mile-9oa.fr"],
            ["a@ΑΣ.gr", "a@ας.gr", "a@ασ.gr"],
            ["a@exam\u200bple.com", "a@example。com", "a@EXAMPLE.com"],
        ]:
            with self.subTest(spellings):
                self.assertEqual(len(set(map(User.objects.normalize_email, spellings))), 1)

    def test_what_is_too_long_for_anybody_is_left_alone(self):
        email = "a" + "\u0300\u0316" * 80_000
        with patch("unicodedata.normalize") as normalize:
            self.assertEqual(User.objects.normalize_email(email), email)
        normalize.assert_not_called()

    def test_clean_lowers_it(self):
        self.bob.email = "Bob@Example.com"
        self.bob.full_clean()
        self.assertEqual(self.bob.email, "bob@example.com")


class UsernameRules(CastTestCase):
    def errors_of(self, **changes):
        user = User(username="Dave", email="dave@example.com", password="!")
        for name, value in changes.items():
            setattr(user, name, value)
        try:
            user.full_clean()
        except ValidationError as error:
            return list(error.message_dict)
        return []

    def test_letters_digits_and_three_signs_of_any_script(self):
        for username in [
            "Dave",
            "d.a-v_e",
            "42",
            "Zoë",
            "Ольга",
            "小明",
            "हिन्दी",
            "maʻa",
            "x" * 20,
        ]:
            with self.subTest(username):
                self.assertEqual(self.errors_of(username=username), [])

    def test_everything_else_is_refused(self):
        bad = {
            "too short": "D",
            "too long": "x" * 21,
            "blank": "   ",
            "a blank inside": "Da ve",
            "another sign": "Dave!",
            "an e-mail": "dave@example.com",
            "NUL": "Da\x00ve",
            "a new line at the end": "Dave\n",
            "a lone surrogate": "Da\ud800ve",
            "right-to-left override": "Da\u202eve",
            "zero-width space": "Da\u200bve",
            "zero-width joiner": "Da\u200dve",
            "an invisible letter": "\u3164\u3164",
            "an invisible mark": "Dave\ufe0f",
            "more of them": "Dave\u034f",
            "and yet more": "Dave\u180b",
            "a mark first": "\u0301Dave",
            "emoji": "Dave🐎",
        }
        for reason, username in bad.items():
            with self.subTest(reason):
                self.assertEqual(self.errors_of(username=username), ["username"])

    def test_emails_that_no_browser_would_take_are_refused(self):
        for email in [
            "dave",
            "dave@localhost",
            "a@b@c.org",
            '"dave"@x.org',
            "d@[127.0.0.1]",
            "admın@x.org",
        ]:
            with self.subTest(email):
                self.assertEqual(self.errors_of(email=email), ["email"])


class Lookups(CastTestCase):
    """At a million users, a lookup that scans the table takes the site down."""

    def setUp(self):
        if connection.vendor == "postgresql":
            # A table of three rows is scanned whatever the indexes; this asks whether one fits.
            self.enterContext(connection.cursor()).execute("SET LOCAL enable_seqscan = off")

    def assertUsesIndex(self, lookup):
        with CaptureQueriesContext(connection) as queries:
            lookup()
        selects = [query["sql"] for query in queries if 'FROM "users_user"' in query["sql"]]
        self.assertTrue(selects)
        explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        for sql in selects:
            with connection.cursor() as cursor:
                cursor.execute(explain + sql)
                plan = str(cursor.fetchall())
            # SQLite: "SEARCH users_user USING INDEX name (email=?)".
            # PostgreSQL: "Index Scan using name on users_user … Index Cond: ((email)::text = …".
            column = r"(INDEX \S+ \(|Index Cond: \(+)(email|username_folded)\b"
            self.assertRegex(plan, column, sql)

    def test_login(self):
        self.assertUsesIndex(lambda: User.objects.get_by_natural_key("Alice@example.com"))

    def test_register_form(self):
        data = {"username": "Dave", "email": "d@example.com"}
        form = RegisterForm({**data, "password1": PASSWORD, "password2": PASSWORD})
        self.assertUsesIndex(form.is_valid)

    def test_the_check_can_fail(self):
        with self.assertRaises(AssertionError):
            self.assertUsesIndex(lambda: User.objects.filter(email__iexact="x").first())


@tag("slow")
class SessionsMigration(TransactionTestCase):
    BEFORE = [("users", "0003_security_events")]
    AFTER = [("users", "0004_session_digests_log_everybody_out")]

    def migrate(self, targets):
        executor = MigrationExecutor(connection)
        return executor.migrate(targets or executor.loader.graph.leaf_nodes()).apps

    def test_sessions_end_on_the_way_there_and_back(self):
        self.addCleanup(self.migrate, None)
        apps = self.migrate(self.AFTER)
        for target, name in [(self.BEFORE, "d" * 64), (self.AFTER, "k" * 32)]:
            with self.subTest(target):
                apps.get_model("users", "Session").objects.create(
                    pk=name, expire_date=timezone.now()
                )
                apps = self.migrate(target)
                self.assertFalse(apps.get_model("users", "Session").objects.exists())


class Names(CastTestCase):
    def test_of_what_a_member_has(self):
        names = {
            "Passkey “Phone”": Passkey(name="Phone"),
            "Authenticator app": AuthenticatorApp(),
            "Recovery code": RecoveryCode(),
            "old@example.com": FormerEmail(email="old@example.com"),
        }
        for name, each in names.items():
            self.assertEqual(str(each), name)
