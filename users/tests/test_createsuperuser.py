from io import StringIO

from django.core.management import CommandError, call_command

from testing.cast import CastTestCase
from users.models import USERNAME_TAKEN, User


class CreateSuperuser(CastTestCase):
    def create(self, email, username):
        call_command(
            "createsuperuser", email=email, username=username, interactive=False, stdout=StringIO()
        )

    def test_makes_an_admin_with_a_lower_case_email(self):
        self.create("Dave@Example.com", "Dave")
        self.assertTrue(User.objects.get(email="dave@example.com").is_superuser)

    def test_taken_email_in_any_case_is_an_error(self):
        with self.assertRaisesMessage(CommandError, "already taken"):
            self.create("ALICE@example.com", "Dave")

    def test_taken_username_in_any_case_is_an_error(self):
        with self.assertRaisesMessage(CommandError, USERNAME_TAKEN):
            self.create("dave@example.com", "ALICE")
