"""`manage.py reencrypt_factors`: a step of replacing SECRET_KEY. docs/deploy.md says when."""

from django.core.management.base import BaseCommand

from users.models import AuthenticatorApp
from users.second_factor import Unreadable, reencrypt


class Command(BaseCommand):
    help = "Encrypts the secrets of authenticator apps with the SECRET_KEY of now."

    def handle(self, **options):
        done = unreadable = 0
        for app in AuthenticatorApp.objects.iterator():
            try:
                # Not if it was replaced meanwhile.
                same = AuthenticatorApp.objects.filter(pk=app.pk, secret=app.secret)
                done += same.update(secret=reencrypt(app.secret))
            except Unreadable:
                unreadable += 1
        self.stdout.write(f"Encrypted {done} secrets anew; {unreadable} cannot be read.")
