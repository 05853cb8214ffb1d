"""The people in the tests: Alice and Bob are members, Carol is staff and may do everything."""

from unittest.mock import patch

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.test import TestCase

from users.models import User

PASSWORD = "correct horse battery"


class CastTestCase(TestCase):
    """A TestCase with the cast in the database, and bcrypt at its lowest cost."""

    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(patch.object(BCryptSHA256PasswordHasher, "rounds", 4))
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

    def assertLoggedInAs(self, user):
        self.assertEqual(self.client.session.get("_auth_user_id"), str(user.pk))

    def assertLoggedOut(self):
        self.assertNotIn("_auth_user_id", self.client.session)
