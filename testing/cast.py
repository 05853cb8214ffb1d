"""The people in the tests: Alice and Bob are members, Carol is staff and may do everything."""

import re
import time
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from testing.authenticator import Authenticator
from users import second_factor
from users.models import AuthenticatorApp, Passkey, RecoveryCode, User

PASSWORD = "correct horse battery"


def give_app(user):
    """Give `user` an authenticator app that counts; return what computes its codes by time."""
    secret = second_factor.new_secret()
    AuthenticatorApp.objects.create(user=user, secret=secret, last_step=0, added=timezone.now())
    return second_factor.app_codes(secret)


def show_code(app, drift=0):
    """Return the code that `app` shows now, or `drift` steps of 30 seconds later."""
    return app.generate(time.time() + 30 * drift).decode()


def give_passkey(user, authenticator, name="Laptop"):
    """Give `user` a passkey that counts, of `authenticator`, and return it."""
    authenticator.user_handle = str(user.pk).encode()
    return Passkey.objects.create(
        user=user,
        name=name,
        credential_id=authenticator.id,
        credential=authenticator.credential(),
        added=timezone.now(),
    )


def give_codes(user):
    """Give `user` recovery codes that count, and return them."""
    codes = second_factor.make_codes(user)
    RecoveryCode.objects.filter(user=user).update(added=timezone.now())
    return codes


class CastTestCase(TestCase):
    """A TestCase with the cast in the database, and bcrypt at its lowest cost."""

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(patch.object(BCryptSHA256PasswordHasher, "rounds", 4))
        # Parts of pages are cached, as in production.
        caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        cls.enterClassContext(override_settings(CACHES=caches))
        super().setUpClass()

    @classmethod
    def setUpTestData(cls):
        cls.alice = User.objects.create_user("Alice", "alice@example.com", PASSWORD)
        cls.bob = User.objects.create_user("Bob", "bob@example.com", PASSWORD)
        cls.carol = User.objects.create_superuser("Carol", "carol@example.com", PASSWORD)

    def log_in(self, email="alice@example.com", password=PASSWORD, next_url="", **data):
        """Post the login form as a browser does, and return the response."""
        url = f"/login/?next={next_url}" if next_url else "/login/"
        return self.client.post(url, {"username": email, "password": password, **data})

    def make_staff(self, user, *codenames):
        """Make `user` staff who may do what the permissions `codenames` say, and return it."""
        user.is_staff = True
        user.save()
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return user

    def assertLoggedInAs(self, user):
        self.assertEqual(self.client.session.get("_auth_user_id"), str(user.pk))

    def assertLoggedOut(self):
        self.assertNotIn("_auth_user_id", self.client.session)

    def log_in_elsewhere(self, user):
        """Return a second browser, in which `user` is logged in."""
        client = Client()
        client.force_login(user)
        client.get("/")
        return client


class MailTestCase(CastTestCase):
    """A CastTestCase, which never commits, in which mail is sent as if it did."""

    def setUp(self):
        at_once = patch("django.db.transaction.on_commit", lambda send, **options: send())
        self.enterContext(at_once)

    def assertMailed(self, *mails):
        """Assert that exactly `mails`, pairs of email and subject, were sent, and forget them."""
        self.assertEqual([(message.to[0], message.subject) for message in mail.outbox], [*mails])
        mail.outbox.clear()

    def link(self):
        """Return the path of the newest link in the mails that leads below a page."""
        bodies = "".join(message.body for message in mail.outbox)
        return re.findall(rf"{re.escape(settings.SITE_URL)}(/\S+/\S+)", bodies)[-1]


class FactorTestCase(MailTestCase):
    """A MailTestCase in which Alice has a confirmed email, and may get second factors."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        for user in [cls.alice, cls.bob]:
            user.email_confirmed_at = timezone.now()
            user.save()

    def setUp(self):
        super().setUp()
        self.passkey = Authenticator()

    give_app = staticmethod(give_app)
    give_codes = staticmethod(give_codes)
    code = staticmethod(show_code)

    def give_passkey(self, user, authenticator=None, **name):
        """Give `user` a passkey that counts, of `authenticator` or `self.passkey`."""
        return give_passkey(user, authenticator or self.passkey, **name)

    def ask(self, url="/passkey/options/", client=None, **data):
        """Return what the site asks a passkey for."""
        return (client or self.client).post(url, data).json()

    def log_in_with_passkey(self, authenticator=None, client=None, **data):
        """Press the button of the login page, and return the response."""
        client = client or self.client
        answer = (authenticator or self.passkey).answer(self.ask(client=client, alone="yes"))
        return client.post("/login/passkey/", {"credential": answer, "alone": "yes", **data})
