import os
import re
import runpy
from unittest.mock import patch

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

SETTINGS = settings.BASE_DIR / "blog_project" / "settings.py"
KEY = "x" * 50
SITE_URL = "https://blog.example"


def settings_with(**environment):
    """Return what settings.py defines when exactly `environment` and a SITE_URL are set."""
    with patch.dict(os.environ, {"SITE_URL": SITE_URL, **environment}, clear=True):
        return runpy.run_path(str(SETTINGS))


class Environment(SimpleTestCase):
    def test_none_at_all_does_not_start_and_says_why(self):
        with self.assertRaisesMessage(ImproperlyConfigured, "SECRET_KEY is not set. Make one with"):
            settings_with()

    def test_empty_secret_key_does_not_start(self):
        with self.assertRaisesMessage(ImproperlyConfigured, "SECRET_KEY"):
            settings_with(SECRET_KEY="")

    def test_short_secret_key_does_not_start(self):
        with self.assertRaisesMessage(ImproperlyConfigured, "SECRET_KEY has fewer than 50"):
            settings_with(SECRET_KEY=KEY[:-1])
        self.assertEqual(settings_with(SECRET_KEY="short", DEBUG="true")["SECRET_KEY"], "short")

    def test_former_keys_are_taken_as_they_are(self):
        self.assertEqual(settings_with(SECRET_KEY=KEY)["SECRET_KEY_FALLBACKS"], [])
        production = settings_with(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=f"${KEY}, b{KEY}")
        self.assertEqual(production["SECRET_KEY_FALLBACKS"], ["$" + KEY, "b" + KEY])

    def test_parts_of_pages_are_cached_in_production_alone(self):
        for environment, backend in [({"SECRET_KEY": KEY}, "locmem"), ({"DEBUG": "true"}, "dummy")]:
            cache = settings_with(**environment)["CACHES"]["default"]
            self.assertIn(backend, cache["BACKEND"])

    def test_a_key_alone_is_a_production_site(self):
        production = settings_with(SECRET_KEY=KEY)
        self.assertIs(production["DEBUG"], False)
        self.assertEqual(production["ALLOWED_HOSTS"], [])
        for name in ["SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"]:
            self.assertIs(production[name], True, name)
        self.assertEqual(production["SECURE_HSTS_SECONDS"], 31_536_000)
        self.assertNotIn("SECURE_PROXY_SSL_HEADER", production)
        self.assertEqual(production["SESSION_COOKIE_NAME"], "__Host-sessionid")
        self.assertEqual(production["CSRF_COOKIE_NAME"], "__Host-csrftoken")
        self.assertIn("Manifest", production["STORAGES"]["staticfiles"]["BACKEND"])
        self.assertIn("django", production["LOGGING"]["loggers"])

    def test_debug_needs_nothing_else(self):
        development = settings_with(DEBUG="true")
        self.assertIs(development["DEBUG"], True)
        self.assertIs(development["SECURE_SSL_REDIRECT"], False)

    def test_whoever_writes_has_a_confirmed_email_unless_a_developer_does(self):
        for environment, needed in [
            ({"SECRET_KEY": KEY}, True),
            ({"DEBUG": "true"}, False),
            ({"DEBUG": "true", "CONFIRMED_EMAIL_TO_POST": "true"}, True),
            ({"SECRET_KEY": KEY, "CONFIRMED_EMAIL_TO_POST": "false"}, False),
        ]:
            self.assertIs(settings_with(**environment)["CONFIRMED_EMAIL_TO_POST"], needed)

    def test_misspelt_booleans_do_not_start(self):
        for name in ["DEBUG", "SECURE_SSL", "SECURE_PROXY_SSL"]:
            for value in ["ture", "", "maybe", "None"]:
                with (
                    self.subTest(name=name, value=value),
                    self.assertRaisesMessage(ImproperlyConfigured, f"{name} must be true or false"),
                ):
                    settings_with(**{"SECRET_KEY": KEY, name: value})

    def test_counts_that_are_none_do_not_start(self):
        for name, value in [
            ("SIGNUPS_PER_IP_PER_HOUR", "0"),
            ("SIGNUPS_PER_IP_PER_HOUR", "-1"),
            ("SIGNUPS_PER_IP_PER_HOUR", "many"),
            ("TRUSTED_PROXY_COUNT", ""),
            ("WEB_CONCURRENCY", "1.5"),
        ]:
            message = f"{name} must be a number, at least"
            with (
                self.subTest(name=name, value=value),
                self.assertRaisesMessage(ImproperlyConfigured, message),
            ):
                settings_with(**{"SECRET_KEY": KEY, name: value})
        proxies = settings_with(SECRET_KEY=KEY, TRUSTED_PROXY_COUNT=" 2 ")["TRUSTED_PROXY_COUNT"]
        self.assertEqual(proxies, 2)

    def test_who_must_have_a_second_factor(self):
        required = "SECOND_FACTOR_REQUIRED"
        self.assertEqual(settings_with(SECRET_KEY=KEY)[required], "staff")
        self.assertEqual(settings_with(DEBUG="true")[required], "nobody")
        everybody = settings_with(SECRET_KEY=KEY, SECOND_FACTOR_REQUIRED=" Everybody ")
        self.assertEqual(everybody[required], "everybody")
        for value in ["", "true", "all"]:
            message = f"{required} must be one of nobody, staff, everybody"
            with self.subTest(value), self.assertRaisesMessage(ImproperlyConfigured, message):
                settings_with(SECRET_KEY=KEY, SECOND_FACTOR_REQUIRED=value)

    def test_limits_are_what_the_documents_say(self):
        production = settings_with(SECRET_KEY=KEY)
        for name, most in [
            ("LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES", 10),
            ("LOGIN_FAILURES_PER_EMAIL_PER_DAY", 100),
            ("LOGIN_FAILURES_PER_IP_PER_15_MINUTES", 100),
            ("LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES", 30),
            ("SIGNUPS_PER_IP_PER_HOUR", 20),
            ("MAILS_PER_EMAIL_PER_HOUR", 5),
            ("MAILS_PER_IP_PER_HOUR", 20),
            ("CODE_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES", 10),
            ("PASSKEY_FAILURES_PER_IP_PER_15_MINUTES", 100),
            ("FACTOR_CHANGES_PER_MEMBER_PER_HOUR", 20),
            ("POSTS_PER_MEMBER_PER_DAY", 30),
        ]:
            self.assertEqual(production[name], most)
            self.assertEqual(settings_with(SECRET_KEY=KEY, **{name: "3"})[name], 3)

    def site_url(self, **environment):
        return settings_with(**{"SITE_URL": "", **environment})["SITE_URL"]

    def test_links_in_mails_lead_to_site_url_or_the_one_allowed_host(self):
        self.assertEqual(self.site_url(SECRET_KEY=KEY, SITE_URL=f"{SITE_URL}/"), SITE_URL)
        self.assertEqual(self.site_url(SECRET_KEY=KEY, ALLOWED_HOSTS="blog.example"), SITE_URL)
        plain = {"ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL": "false"}
        self.assertEqual(self.site_url(SECRET_KEY=KEY, **plain), "http://127.0.0.1")
        self.assertEqual(self.site_url(DEBUG="true"), "http://localhost:8000")
        self.assertEqual(self.site_url(DEBUG="true", PORT="9000"), "http://localhost:9000")

    def test_production_that_does_not_know_its_url_does_not_start(self):
        for hosts in ["", "a.example,b.example", "*", ".blog.example"]:
            with (
                self.subTest(hosts),
                self.assertRaisesMessage(ImproperlyConfigured, "SITE_URL is not set"),
            ):
                self.site_url(SECRET_KEY=KEY, ALLOWED_HOSTS=hosts)

    def test_site_url_has_a_scheme_and_a_name_and_no_more(self):
        for url in ["http://[::1]:8000", "https://a-b.blog.example:8443"]:
            self.assertEqual(self.site_url(DEBUG="true", SITE_URL=url), url)
        for url in [
            *["blog.example", "//blog.example", "ftp://blog.example", "https://", "https:///"],
            *["https://blog.example/blog", "https://blog.example?x", "https://blog.example#x"],
            *["https://user@blog.example", "https://blog.example:x", "https://blog example"],
            "https://blog.example\nhttps://evil.example",
        ]:
            for environment in [{"DEBUG": "true"}, {"SECRET_KEY": KEY}]:
                with (
                    self.subTest(url),
                    self.assertRaisesMessage(ImproperlyConfigured, "SITE_URL must be like"),
                ):
                    self.site_url(SITE_URL=url, **environment)

    def test_name_and_contact_are_one_line(self):
        for name in ["SITE_NAME", "CONTACT_EMAIL"]:
            with self.assertRaisesMessage(ImproperlyConfigured, "are one line each"):
                settings_with(DEBUG="true", **{name: "a\nBcc: b@example.com"})

    def test_booleans_are_read_in_every_spelling(self):
        for value in ["true", "True", "1", "yes", " on "]:
            self.assertIs(settings_with(DEBUG=value)["DEBUG"], True)
        for value in ["false", "FALSE", "0", "no", "off"]:
            self.assertIs(settings_with(DEBUG=value, SECRET_KEY=KEY)["DEBUG"], False)

    def test_proxy_header_is_believed_only_when_asked(self):
        behind_proxy = settings_with(SECRET_KEY=KEY, SECURE_PROXY_SSL="true")
        self.assertEqual(
            behind_proxy["SECURE_PROXY_SSL_HEADER"], ("HTTP_X_FORWARDED_PROTO", "https")
        )

    def test_any_key_and_blanks_between_hosts_are_taken_as_they_are_meant(self):
        production = settings_with(SECRET_KEY="$" + KEY, ALLOWED_HOSTS="a.example, b.example")
        self.assertEqual(production["SECRET_KEY"], "$" + KEY)
        self.assertEqual(production["ALLOWED_HOSTS"], ["a.example", "b.example"])

    def test_database_is_sqlite_in_wal_mode_unless_a_url_says_otherwise(self):
        sqlite = settings_with(DEBUG="true")["DATABASES"]["default"]
        self.assertEqual(sqlite["NAME"], settings.BASE_DIR / "db.sqlite3")
        self.assertEqual(sqlite["OPTIONS"]["transaction_mode"], "IMMEDIATE")
        self.assertIn("WAL", sqlite["OPTIONS"]["init_command"])
        url = "postgres://blog:secret@db.example/blog"
        postgresql = settings_with(DEBUG="true", DATABASE_URL=url)["DATABASES"]["default"]
        self.assertIn("postgresql", postgresql["ENGINE"])
        self.assertEqual(postgresql["HOST"], "db.example")
        self.assertEqual(postgresql["OPTIONS"]["pool"]["max_size"], 16)
        self.assertEqual(postgresql["OPTIONS"]["tcp_user_timeout"], 5000)
        url += "?sslmode=require&connect_timeout=9"
        options = settings_with(DEBUG="true", DATABASE_URL=url, THREADS="3")
        options = options["DATABASES"]["default"]["OPTIONS"]
        self.assertEqual((options["sslmode"], options["pool"]["max_size"]), ("require", 2))
        self.assertEqual(options["connect_timeout"], 9)

    def test_any_other_database_is_taken_as_the_url_says(self):
        url = "mysql://blog:secret@db.example/blog"
        mysql = settings_with(DEBUG="true", DATABASE_URL=url)["DATABASES"]["default"]
        self.assertIn("mysql", mysql["ENGINE"])
        self.assertNotIn("pool", mysql.get("OPTIONS", {}))

    def test_mail_goes_to_the_terminal_or_to_a_server(self):
        for version in [(5, 2), (6, 1)]:
            with patch("django.VERSION", version):
                development = settings_with(DEBUG="true")
            self.assertEqual(development["mail"]["EMAIL_BACKEND"], "users.emails.TerminalBackend")
        url = "smtp+tls://user:secret@mail.example:587"
        for version in [(5, 2), (6, 1)]:
            with self.subTest(version), patch("django.VERSION", version):
                production = settings_with(SECRET_KEY=KEY, EMAIL_URL=url)
                self.assertIs("MAILERS" in production, version == (6, 1))
                self.assertIs("EMAIL_HOST" in production, version == (5, 2))
                self.assertEqual(production["mail"]["EMAIL_TIMEOUT"], 5)
                if version == (6, 1):
                    options = production["MAILERS"]["default"]["OPTIONS"]
                    self.assertEqual((options["host"], options["timeout"]), ("mail.example", 5))
                    self.assertEqual((options["use_tls"], options["use_ssl"]), (True, False))

    def test_second_factor_that_is_not_offered_is_required_of_nobody(self):
        settings = settings_with(SECRET_KEY=KEY, SECOND_FACTORS_OFFERED="false")
        self.assertEqual(settings["SECOND_FACTOR_REQUIRED"], "nobody")
        with self.assertRaisesMessage(ImproperlyConfigured, "SECOND_FACTORS_OFFERED denies"):
            settings_with(
                SECRET_KEY=KEY, SECOND_FACTORS_OFFERED="false", SECOND_FACTOR_REQUIRED="staff"
            )

    def test_events_are_lines_of_json_in_production_alone(self):
        for debug, level in [("true", "WARNING"), ("false", "INFO")]:
            loggers = settings_with(SECRET_KEY=KEY, DEBUG=debug)["LOGGING"]["loggers"]
            self.assertEqual(loggers["django.security.auth"]["level"], level)

    def test_env_example_has_every_variable(self):
        read = set(re.findall(r'\benv(?:_\w+|\.\w+|iron\.get)\(\s*"(\w+)"', SETTINGS.read_text()))
        example = (settings.BASE_DIR / ".env.example").read_text()
        self.assertIn("SECRET_KEY", read)
        self.assertEqual(read, set(re.findall(r"^#?(\w+)=", example, flags=re.MULTILINE)))
