"""Who you are, and what makes you the only one."""

import unicodedata
from contextlib import suppress

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.templatetags.static import static
from django.utils import timezone

from users.validators import fold_username, validate_public_email, validate_username

USERNAME_TAKEN = "That username is taken. Please choose a different one."
EMAIL_TAKEN = "That email is taken. Please choose a different one."
DEFAULT_PICTURE = "default.jpg"
EMAIL_MAX_LENGTH = 254  # RFC 5321


class FoldedUsernameField(models.CharField):
    """The username as it is compared, filled in whenever a user is written."""

    def pre_save(self, instance, add):
        # Not in save(), which bulk_create and data migrations pass by. QuerySet.update passes
        # by both: change a username on the user.
        instance.username_folded = fold_username(instance.username)
        return instance.username_folded


class UserManager(DjangoUserManager):
    """Finds people whatever the case in which they type their name or address."""

    @classmethod
    def normalize_email(cls, email):
        """
        Return `email` as it is stored and looked up: lower-case, without blanks around it.

        In NFKC, as the login form's UsernameField has it, and with the domain in the ASCII form
        in which browsers send it from <input type="email">: one mailbox has one spelling.
        """
        email = (email or "").strip()
        if len(email) > EMAIL_MAX_LENGTH:
            return email  # no member's; to normalise a megabyte of accents takes minutes
        local, at, domain = unicodedata.normalize("NFKC", email).lower().rpartition("@")
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode()
        return f"{local}{at}{domain}"

    def get_by_natural_key(self, email):
        return self.with_email(email).get()

    def with_email(self, email):
        return self.filter(email=self.normalize_email(email))

    def with_username(self, username):
        return self.filter(username_folded=fold_username(username))

    def create_superuser(self, username, email=None, password=None, **extra_fields):
        """Create a superuser; a taken username raises ValidationError, which the command prints."""
        if self.with_username(username).exists():
            raise ValidationError(USERNAME_TAKEN)
        # Whoever runs the site vouches for the address.
        extra_fields.setdefault("email_confirmed_at", timezone.now())
        return super().create_superuser(username, email, password, **extra_fields)


class User(AbstractUser):
    """A member: logs in by e-mail, is known by username."""

    username = models.CharField(
        max_length=20,
        validators=[MinLengthValidator(2), validate_username],
        help_text="2 to 20 letters, digits, “_”, “.” or “-”.",
    )
    # A column rather than a constraint on Lower("username"): SQLite lowers A to Z alone, and
    # "Émile" could pose as "émile". Folded, one letter is at most two: "ß" is "ss".
    username_folded = FoldedUsernameField(max_length=40, unique=True, editable=False)
    email = models.EmailField(
        max_length=EMAIL_MAX_LENGTH, unique=True, validators=[validate_public_email]
    )
    email_confirmed_at = models.DateTimeField(null=True, editable=False)
    picture = models.FileField(upload_to="pictures/", default=DEFAULT_PICTURE, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["username"]

    objects = UserManager()

    class Meta(AbstractUser.Meta):
        constraints = [
            # Unique in lower-case is unique in every case only if nothing else gets in.
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="email_is_lower_case"
            ),
        ]

    def __str__(self):
        return self.username

    def save(self, *, update_fields=None, **kwargs):
        if update_fields is not None and "username" in update_fields:
            update_fields = {*update_fields, "username_folded"}
        # What set_password leaves here until it is saved; upgrading a hash does not.
        new_password = self._password is not None and not self._state.adding
        super().save(update_fields=update_fields, **kwargs)
        if new_password or not self.is_active:
            # Whichever form it came from. A view that keeps its own session gives it a new key.
            self.end_sessions()

    def end_sessions(self, keep=None):
        """Log the user out everywhere, but for the session whose key is `keep`; return if any."""
        ended, _ = self.sessions.exclude(session_key=keep).delete()
        return ended > 0

    def live_sessions(self):
        """Return the sessions that are not over, the one seen last first."""
        return self.sessions.filter(expire_date__gt=timezone.now()).order_by("-last_seen")

    @property
    def picture_url(self):
        if self.picture.name == DEFAULT_PICTURE:
            return static("users/default.jpg")
        return self.picture.url

    def forget_picture(self, name):
        """Delete the picture file `name` for good once the transaction commits."""
        if name != DEFAULT_PICTURE:
            storage = self.picture.storage
            transaction.on_commit(lambda: storage.delete(name), robust=True)


@receiver(post_delete, sender=User)
def forget_picture_of_deleted_user(instance, **kwargs):
    instance.forget_picture(instance.picture.name)
