"""What happened to accounts: the audit log, and the memory of the throttle."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from .client import ClientModel
from .user import EMAIL_MAX_LENGTH


class Kind(models.TextChoices):
    """What can happen to an account."""

    REGISTERED = "registered", "Registered"
    EMAIL_TRIED = "e-mail tried", "Sign-up with this email refused"
    LOGIN = "login", "Logged in"
    LOGIN_FAILED = "login failed", "Password refused"
    LOGOUT = "logout", "Logged out"
    PASSWORD_CONFIRMED = "password confirmed", "Current password confirmed"
    PASSWORD_CHANGED = "password changed", "Password changed"
    RESET_ASKED = "reset asked", "Password reset asked for"
    RESET_USED = "reset used", "Password reset"
    CONFIRMATION_ASKED = "confirmation asked", "Email confirmation asked for"
    EMAIL_CONFIRMED = "e-mail confirmed", "Email confirmed"
    EMAIL_CHANGED = "e-mail changed", "Email changed"
    SESSION_ENDED = "session ended", "Session ended"
    ACCOUNT_DELETED = "account deleted", "Account deleted"
    THROTTLED = "throttled", "Too many attempts"


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
    address = models.CharField(
        "e-mail address",
        max_length=EMAIL_MAX_LENGTH,
        help_text="A digest stands for what was no address: it may have been a password.",
    )
    network = models.GenericIPAddressField(
        null=True, help_text="What the throttle counts: the address, or the /64 of an IPv6 one."
    )

    class Meta:
        ordering = ["-time", "-id"]
        indexes = [
            models.Index(fields=["address", "kind", "time"], name="event_of_address"),
            models.Index(fields=["address", "network", "kind", "time"], name="event_of_place"),
            models.Index(fields=["network", "kind", "time"], name="event_of_network"),
            models.Index(fields=["user", "time"], name="event_of_user"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.address}"
