"""Who you are, where you are logged in, and what happened to your account."""

import unicodedata
from contextlib import suppress
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.core.validators import MinLengthValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.templatetags.static import static
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.module_loading import import_string

from blog_project.clients import USER_AGENT_MAX_LENGTH, device_name
from users.emails import EMAIL_MAX_LENGTH, validate_public_email
from users.usernames import fold_username, validate_username

USERNAME_TAKEN = "That username is taken. Please choose a different one."
EMAIL_TAKEN = "That email is taken. Please choose a different one."
DEFAULT_PICTURE = "default.jpg"


class FoldedUsernameField(models.CharField):
    """The username as it is compared, filled in whenever a user is written."""

    def pre_save(self, instance, add):
        # Not in save(), which bulk_create and data migrations pass by. QuerySet.update passes
        # by both: change a username on the user.
        instance.username_folded = fold_username(instance.username)
        return instance.username_folded


class UserManager(DjangoUserManager):
    """Finds people whatever the case in which they type their username or email."""

    @classmethod
    def normalize_email(cls, email):
        """
        Return `email` as it is stored and looked up: lower-case, without blanks around it.

        In NFKC, as the login form's UsernameField has it, and with the domain in the ASCII form
        in which browsers send it from <input type="email">: one mailbox has one spelling.
        """
        email = (email or "").strip()
        if len(email) > EMAIL_MAX_LENGTH:
            return email  # nobody's, and a megabyte of accents takes minutes to normalise
        local, at, domain = unicodedata.normalize("NFKC", email).lower().rpartition("@")
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode()
        return f"{local}{at}{domain}"

    def get_by_natural_key(self, email):
        # For the login, which asks both: one query.
        return self.with_email(email).annotate(has_second_factor=a_second_factor()).get()

    def with_email(self, email):
        return self.filter(email=self.normalize_email(email))

    def with_username(self, username):
        return self.filter(username_folded=fold_username(username))

    def create_superuser(self, username, email=None, password=None, **extra_fields):
        """Create a superuser; a taken username raises ValidationError, which the command prints."""
        if self.with_username(username).exists():
            raise ValidationError(USERNAME_TAKEN)
        # Whoever runs the site vouches for the email.
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
    # The email that the member asked to move to. Not unique, or whoever asks would keep others
    # from registering it; it serves neither login nor reset.
    pending_email = models.EmailField(  # noqa: DJ001 - none is NULL, as in `email_confirmed_at`
        max_length=EMAIL_MAX_LENGTH, null=True, editable=False
    )
    picture = models.FileField(upload_to="pictures/", default=DEFAULT_PICTURE, editable=False)
    # When a link of a notice ("This wasn't me") was last used: those of before are void.
    recovered_at = models.DateTimeField(null=True, editable=False)
    about = models.TextField("about you", max_length=300, blank=True, default="", db_default="")

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
        # set_password leaves it here until it is saved; upgrading a hash does not.
        new_password = self._password is not None and not self._state.adding
        if new_password:
            # Whoever had the old one may have asked to move to a mailbox of theirs.
            self.pending_email = None
            if update_fields is not None:
                update_fields = {*update_fields, "pending_email"}
        super().save(update_fields=update_fields, **kwargs)
        if new_password or not self.is_active:
            # Whichever form it came from. A view that keeps its own session gives it a new key.
            self.end_sessions()
        if new_password:
            # A factor that whoever had the old one has begun to add waits no longer.
            for factors in self.factors():
                factors.filter(added=None).delete()

    def confirm_email(self, keep=None):
        """
        Note that the email is the user's own. The caller saves the user.

        The first time, whoever registered it before keeps nothing: no factor, no session but the
        one of the digest `keep`, no change of email that waits.
        """
        first = self.never_confirmed
        self.email_confirmed_at = self.email_confirmed_at or timezone.now()
        if first:
            self.pending_email = None
            for factors in self.factors():
                factors.all().delete()
            self.end_sessions(keep)

    @property
    def never_confirmed(self):
        """Whether no email of the account was ever confirmed."""
        # An account that staff have moved to another email has left one.
        return self.email_confirmed_at is None and not self.former_emails.exists()

    def factors(self):
        """Return the managers of the user's second factors, those of before and to come as well."""
        return [self.passkeys, self.authenticatorapps, self.recoverycodes]

    def leave_email(self, email):
        """Reserve `email`, which is about to change, for the account."""
        if self.email_confirmed_at:  # or it may be a stranger's, misspelt
            self.former_emails.create(email=email)

    def set_unusable_password(self):
        super().set_unusable_password()
        self.pending_email = None  # as save() does for a new password

    def check_password(self, raw_password):
        """
        Return whether `raw_password` is the user's. A hash out of date is replaced by a new one.

        But only in the place of the hash that was verified: Django saves it whatever has happened
        since, and a login with the old password that overlaps a reset would undo the reset.
        """
        verified, upgraded = self.password, True

        def upgrade(raw_password):
            nonlocal upgraded
            new = make_password(raw_password)
            rows = User.objects.filter(pk=self.pk, password=verified)
            upgraded = bool(rows.update(password=new))
            if upgraded:
                self.password = new

        correct = check_password(raw_password, verified, upgrade)
        if upgraded:
            return correct
        # Another login was quicker, for which the password is right, or a reset was, or a deletion.
        now = User.objects.filter(pk=self.pk).values_list("password", flat=True)
        self.password = now.first() or make_password(None)
        return self.check_password(raw_password)

    acheck_password = sync_to_async(check_password)  # or Django's own would be the way around

    @cached_property
    def has_second_factor(self):
        """Whether a login asks for more than the password. What changes factors reads it anew."""
        return User.objects.filter(a_second_factor(), pk=self.pk).exists()

    @property
    def needs_second_factor(self):
        """Whether this site asks the user to have one: SECOND_FACTOR_REQUIRED."""
        return {"nobody": False, "staff": self.is_staff or self.is_superuser, "everybody": True}[
            settings.SECOND_FACTOR_REQUIRED
        ]

    def end_sessions(self, keep=None):
        """Log the user out everywhere but in the session of the digest `keep`; return if any."""
        ended, _ = self.sessions.exclude(pk=keep).delete()
        return ended > 0

    def end_oldest_sessions(self):
        """Leave no more sessions than a member may have: those that were seen last."""
        self.sessions.exclude(pk__in=self.live_sessions()).delete()

    def live_sessions(self):
        """Return the sessions that are not over, the one seen last first: those that may stay."""
        live = self.sessions.filter(expire_date__gt=timezone.now())
        seen_last_first = models.F("last_seen").desc(nulls_last=True)
        # In one order for all, or two logins of one second would leave different ones.
        return live.order_by(seen_last_first, "pk")[: settings.SESSIONS_PER_MEMBER]

    @property
    def picture_url(self):
        if self.picture.name == DEFAULT_PICTURE:
            return static("users/default.jpg")
        return self.picture.url

    def remove_picture(self):
        """Go back to the default picture, and delete the file of the one there is now."""
        with transaction.atomic():
            # Locked: the member may be uploading another.
            old = User.objects.select_for_update().get(pk=self.pk).picture.name
            self.picture = DEFAULT_PICTURE
            self.save(update_fields=["picture"])
            self.delete_picture_file(old)

    def delete_picture_file(self, name):
        """Delete the picture file `name` for good once the transaction commits."""
        if name != DEFAULT_PICTURE:
            storage = self.picture.storage
            transaction.on_commit(lambda: storage.delete(name), robust=True)


@receiver(post_delete, sender=User)
def delete_picture_of_deleted_user(instance, **kwargs):
    instance.delete_picture_file(instance.picture.name)


def a_second_factor():
    """Return the condition that a user has a passkey or an authenticator app which counts."""
    of_user = {"user": models.OuterRef("pk")}
    models_of_factors = (Passkey, AuthenticatorApp)
    passkey, app = (model.objects.live().filter(**of_user) for model in models_of_factors)
    return models.Exists(passkey) | models.Exists(app)


class FactorManager(models.Manager):
    def live(self, **of_user):
        """Return the factors that count, as a queryset."""
        return self.filter(added__isnull=False, removed=None, **of_user)


class Factor(models.Model):
    """
    Something that a member has beside the password. It counts from `added` until `removed`.

    Without `added` it waits for the member to type a recovery code back. Removed ones are kept for
    as long as a notice can bring them back. `users.second_factor` does all of it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="%(class)ss"
    )
    added = models.DateTimeField(null=True)
    removed = models.DateTimeField(null=True)
    last_used = models.DateTimeField(null=True)

    objects = FactorManager()

    class Meta:
        abstract = True


class Passkey(Factor):
    """A WebAuthn credential of a phone, a computer or a security key."""

    name = models.CharField(max_length=50)
    # Nobody else's either, and no authenticator makes one twice (WebAuthn 7.1, step 26).
    credential_id = models.BinaryField(max_length=1023, unique=True)
    # WebAuthn's attested credential data: the kind of authenticator, the id, the COSE public key.
    credential = models.BinaryField(max_length=4096)
    sign_count = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"Passkey “{self.name}”"


class AuthenticatorApp(Factor):
    """An app that shows a code of six digits, a new one every 30 seconds (TOTP, RFC 6238)."""

    secret = models.TextField(help_text="Encrypted with SECRET_KEY.")
    last_step = models.BigIntegerField(help_text="Of the code used last: none counts twice.")
    refused = models.IntegerField(default=0, help_text="Codes in a row.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(removed=None), name="one_authenticator_app"
            ),
        ]

    def __str__(self):
        return "Authenticator app"


class RecoveryCode(Factor):
    """A code that works once, for whoever has lost the other factors. Used, its row is gone."""

    # Of 120 random bits nobody finds the SHA-256, and no salt is needed.
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self):
        return "Recovery code"


class FormerEmailManager(models.Manager):
    def recent(self, **of_user):
        """Return those that can still come back, the first one left first, as a queryset."""
        since = timezone.now() - timedelta(days=settings.RECOVER_LINK_DAYS)
        return self.filter(left__gt=since, **of_user)


class FormerEmail(models.Model):
    """A confirmed email that an account has left: it stays reserved while it can come back."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="former_emails"
    )
    email = models.CharField(max_length=EMAIL_MAX_LENGTH, db_index=True)
    left = models.DateTimeField(default=timezone.now)

    objects = FormerEmailManager()

    class Meta:
        ordering = ["left", "pk"]

    def __str__(self):
        return self.email


class ClientModel(models.Model):
    """Has the IP address and the browser of a request, as `blog_project.clients` reads them."""

    ip = models.GenericIPAddressField("IP address", null=True)
    user_agent = models.CharField(max_length=USER_AGENT_MAX_LENGTH)

    class Meta:
        abstract = True

    @property
    def device(self):
        return device_name(self.user_agent)


class Session(AbstractBaseSession, ClientModel):
    """
    A session that knows its member and device: Django's documented extension of its own model.

    `users.sessions` fills the columns from the session's data, at no query of their own.
    """

    # The SHA-256 of the key in the cookie: whoever reads the table can log in as nobody.
    session_key = models.CharField("digest of the session key", max_length=64, primary_key=True)
    # Without a constraint: a login that is under way when the member is deleted must not fail on
    # its session, nor keep the member from being deleted. Such a row is a stranger's.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_constraint=False,
        null=True,
        related_name="sessions",
    )
    since = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)

    def __str__(self):
        return self.session_key

    @classmethod
    def get_session_store_class(cls):
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")


class Kind(models.TextChoices):
    """What can happen to an account."""

    REGISTERED = "registered", "Registered"
    SIGNUP_REFUSED = "e-mail tried", "Sign-up with this email refused"
    LOGIN = "login", "Logged in"
    LOGIN_FAILED = "login failed", "Password refused"
    PASSWORD_ACCEPTED = "password accepted", "Right password, second factor asked for"
    CODE_REFUSED = "code refused", "Code refused"
    CODES_TRIED = "codes tried", "Wrong code, told by mail"
    PASSKEY_ASKED = "passkey asked", "Passkey asked for"
    PASSKEY_REFUSED = "passkey refused", "Passkey refused"
    FACTOR_CONFIRMED = "factor confirmed", "Second factor confirmed"
    RECOVERY_CODE_USED = "recovery code used", "Recovery code used"
    NEW_BROWSER = "new browser", "New browser, told by mail"
    LOGIN_AFTER_FAILURES = "login after failures", "Logged in after many refused passwords"
    LOGOUT = "logout", "Logged out"
    PASSWORD_CONFIRMED = "password confirmed", "Current password confirmed"
    CURRENT_PASSWORD_REFUSED = "current refused", "Current password refused"
    PASSWORD_CHANGED = "password changed", "Password changed"
    RESET_REQUESTED = "reset asked", "Password reset requested"
    RESET_COMPLETED = "reset used", "Password reset"
    CONFIRMATION_REQUESTED = "confirmation asked", "Email confirmation requested"
    EMAIL_CONFIRMED = "e-mail confirmed", "Email confirmed"
    EMAIL_CHANGED = "e-mail changed", "Email changed"
    USERNAME_CHANGED = "username changed", "Username changed"
    PICTURE_UPLOADED = "picture uploaded", "Picture uploaded"
    PICTURE_REFUSED = "picture refused", "Picture refused"
    SESSION_ENDED = "session ended", "Session ended"
    PASSKEY_ADDED = "passkey added", "Passkey added"
    PASSKEY_REMOVED = "passkey removed", "Passkey removed"
    APP_ADDED = "app added", "Authenticator app added"
    APP_REMOVED = "app removed", "Authenticator app removed"
    CODES_MADE = "codes made", "Recovery codes made"
    FACTORS_REMOVED = "factors removed", "Second factors removed by staff"
    RECOVERED = "recovered", "Account taken back"
    ACCOUNT_DELETED = "account deleted", "Account deleted"
    THROTTLED = "throttled", "Too many attempts"
    POST_CREATED = "post created", "Post created"
    POST_OFFLINE = "post offline", "Post taken offline"
    POST_ONLINE = "post online", "Post put back online"


class SecurityEvent(ClientModel):
    """
    One thing that happened, with whom it concerns and where it came from.

    Never a password, a token or a cookie. `users.events` writes them, `users.throttle` counts
    them, and `manage.py prune_events` deletes the old ones.
    """

    kind = models.CharField(max_length=24, choices=Kind)
    time = models.DateTimeField(default=timezone.now, db_index=True)
    # Without a constraint: an account may be deleted while something about it is written.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        db_constraint=False,
        db_index=False,  # but the one below
        null=True,
        related_name="events",
    )
    email = models.CharField(
        max_length=EMAIL_MAX_LENGTH,
        db_column="address",
        help_text="A digest stands for what was no email: it may have been a password.",
    )
    network = models.GenericIPAddressField(
        null=True, help_text="What the throttle counts: an IPv4 address, or the /64 of an IPv6 one."
    )

    class Meta:
        ordering = ["-time", "-id"]
        indexes = [
            models.Index(fields=["email", "kind", "time"], name="event_of_address"),
            models.Index(fields=["email", "network", "kind", "time"], name="event_of_place"),
            models.Index(fields=["network", "kind", "time"], name="event_of_network"),
            models.Index(fields=["user", "time"], name="event_of_user"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.email}"
