"""
Limits on what may be tried how often, counted in the table of security events.

The table is one for all processes and machines. An attempt is written into it before any password
is hashed, and under a lock: a thousand attempts at once count like a thousand in turn.
"""

from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from blog_project.errors import RetryLater
from blog_project.work_pool import QueueFull
from users.events import log, new_event
from users.models import Kind, SecurityEvent, User


class Limit(NamedTuple):
    """At most settings.`setting` events of `kinds` within `window`, with the same `columns`."""

    setting: str
    window: timedelta
    kinds: list[Kind]
    columns: list[str]


FIFTEEN_MINUTES, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
EMAIL_AND_NETWORK = ["email", "network"]
FAILURES = [Kind.LOGIN_FAILED, Kind.CURRENT_PASSWORD_REFUSED]
# What has cost a hash of the member's password, right or wrong.
ATTEMPTS = [
    *[*FAILURES, Kind.LOGIN, Kind.PASSWORD_ACCEPTED],
    *[Kind.PASSWORD_CONFIRMED, Kind.PASSWORD_CHANGED],
]
CODES = [Kind.CODE_REFUSED]
SIGNUPS = [Kind.REGISTERED, Kind.SIGNUP_REFUSED]
MAILS = [
    *[Kind.RESET_REQUESTED, Kind.CONFIRMATION_REQUESTED],
    *[Kind.PASSWORD_CHANGED, Kind.USERNAME_CHANGED],
]


def mail_limits(kind):
    # Each kind by itself, or strangers who ask for resets would stop a member's confirmation.
    return [
        Limit("MAILS_PER_EMAIL_PER_HOUR", HOUR, [kind], ["email"]),
        Limit("MAILS_PER_IP_PER_HOUR", HOUR, MAILS, ["network"]),
    ]


PASSWORD_LIMITS = [
    Limit(
        "LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES",
        FIFTEEN_MINUTES,
        FAILURES,
        EMAIL_AND_NETWORK,
    ),
    Limit("LOGIN_FAILURES_PER_EMAIL_PER_DAY", DAY, FAILURES, ["email"]),
    Limit("LOGIN_FAILURES_PER_IP_PER_15_MINUTES", FIFTEEN_MINUTES, FAILURES, ["network"]),
    # Right passwords cost as much as wrong ones. Not per network alone: a whole office logs in
    # every morning.
    Limit("LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES", FIFTEEN_MINUTES, ATTEMPTS, EMAIL_AND_NETWORK),
]
SIGNUP_LIMITS = [
    Limit("SIGNUPS_PER_IP_PER_HOUR", HOUR, SIGNUPS, ["network"]),
    Limit("MAILS_PER_EMAIL_PER_HOUR", HOUR, SIGNUPS, ["email"]),
]
RESET_LIMITS = mail_limits(Kind.RESET_REQUESTED)
CONFIRMATION_LIMITS = mail_limits(Kind.CONFIRMATION_REQUESTED)
USERNAME_LIMITS = mail_limits(Kind.USERNAME_CHANGED)
PICTURE_LIMITS = [
    Limit(
        "PICTURES_PER_MEMBER_PER_HOUR",
        HOUR,
        [Kind.PICTURE_UPLOADED, Kind.PICTURE_REFUSED],
        ["user"],
    ),
]
# Whoever gets here knows the password: it must not clear them, or two could be guessed in turns.
CODE_LIMITS = [
    Limit(
        "CODE_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES", FIFTEEN_MINUTES, CODES, EMAIL_AND_NETWORK
    ),
]
# Every answer needs a challenge, which counts until it is answered rightly.
PASSKEY_LIMITS = [
    Limit(
        "PASSKEY_FAILURES_PER_IP_PER_15_MINUTES",
        FIFTEEN_MINUTES,
        [Kind.PASSKEY_ASKED, Kind.PASSKEY_REFUSED],
        ["network"],
    ),
]
# A login with a passkey alone, or a proof with one: as often as with a password.
PASSKEY_USE_LIMITS = [
    Limit(
        "LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES",
        FIFTEEN_MINUTES,
        [Kind.LOGIN, Kind.FACTOR_CONFIRMED],
        EMAIL_AND_NETWORK,
    ),
]
FACTOR_CHANGE_LIMIT = Limit(
    "FACTOR_CHANGES_PER_MEMBER_PER_HOUR",
    HOUR,
    [
        *[Kind.PASSKEY_ADDED, Kind.PASSKEY_REMOVED, Kind.APP_ADDED, Kind.APP_REMOVED],
        Kind.CODES_MADE,
    ],
    ["user"],
)
POST_LIMITS = [Limit("POSTS_PER_MEMBER_PER_DAY", DAY, [Kind.POST_CREATED], ["user"])]
PASSWORD_CHANGE_LIMITS = [*PASSWORD_LIMITS, *mail_limits(Kind.PASSWORD_CHANGED)]

# After one of these in some network, the failures before it count no more there. The right password
# of whoever has a second factor is none (PASSWORD_ACCEPTED): with the factor it is a LOGIN.
SUCCESSES = {
    **dict.fromkeys(
        FAILURES,
        [
            *[Kind.LOGIN, Kind.PASSWORD_CONFIRMED, Kind.FACTOR_CONFIRMED],
            *[Kind.PASSWORD_CHANGED, Kind.RESET_COMPLETED],
        ],
    ),
    Kind.CODE_REFUSED: [Kind.LOGIN, Kind.FACTOR_CONFIRMED],
}
# After one of these the member may be another, who has been let in nowhere yet.
RESETS = [
    *[Kind.REGISTERED, Kind.EMAIL_CHANGED, Kind.PASSWORD_CHANGED],
    *[Kind.RESET_COMPLETED, Kind.RECOVERED],
]


class Throttled(RetryLater):
    """Too many attempts with the same `columns` in too short a time."""

    status = 429

    def __init__(self, wait, columns):
        super().__init__(wait)
        self.columns = columns


class ThrottleMixin:
    """
    View mixin: a POST is an attempt, of which `limits` say how many there may be.

    It is an event of `kind` unless the view calls `succeed`, and none if the form was invalid
    and `is_attempt` says that nothing was tried.
    """

    limits = None
    kind = None
    email_field = "email"

    def post(self, request, *args, **kwargs):
        with attempt(request, self.limits, self.kind, *self.email_and_user()) as self.event:
            return super().post(request, *args, **kwargs)

    def email_and_user(self):
        """Return whom the attempt concerns: an email, and its user if that is known."""
        return self.request.POST.get(self.email_field, ""), None

    def succeed(self, kind, user=None):
        """Make the attempt an event of `kind`, which concerns `user` if given."""
        self.event.kind = kind
        if user:
            self.event.user = user
        self.event.save(update_fields=["kind", "user"])

    def form_invalid(self, form):
        if self.event.pk and not self.is_attempt(form):
            self.event.delete()
        return super().form_invalid(form)

    def is_attempt(self, form):
        """Return whether the invalid `form` was an attempt: it hashed, or told something."""
        raise NotImplementedError


class ProofMixin(ThrottleMixin):
    """View mixin for forms that ask `get_member` for the password, or a code, in `proof_field`."""

    limits = PASSWORD_LIMITS
    kind = Kind.CURRENT_PASSWORD_REFUSED
    proof_field = "password"

    def get_member(self):
        return self.request.user

    def email_and_user(self):
        return self.get_member().email, self.get_member()

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.get_member()}

    def form_invalid(self, form):
        if self.proof_field in form.cleaned_data:
            self.succeed(Kind.PASSWORD_CONFIRMED)
        return super().form_invalid(form)

    def is_attempt(self, form):
        return not form.has_error(self.proof_field, "required")


@contextmanager
def attempt(request, limits, kind, email, user=None):
    """
    Let the block try something that `limits` limit, for the `email`, which is `user`'s.

    Before the block runs an event of `kind` is written, and handed to it: others count it while
    the block is at work. An exception leaves it as it is. Raises Throttled, without running the
    block, if there were too many.
    """
    event = new_event(request, kind, email=email, user=user)
    if user is None:
        owner = User.objects.filter(email=event.email)
        event.user_id = owner.values_list("pk", flat=True).first()
    try:
        admit(event, limits)
    except Throttled as error:
        record_throttled(event, error)
        raise
    try:
        yield event
    except QueueFull:
        event.delete()  # nothing was tried: a busy site must not lock members out
        raise
    finally:
        if event.pk:
            log(event)


def admit(event, limits):
    """Save `event`, or raise Throttled if that were one too many for one of `limits`."""
    with transaction.atomic(durable=True):
        lock(event)
        event.time = timezone.now()  # or those that waited for the lock would be in no order
        success = last_success(event) if event.kind in SUCCESSES else None
        for limit in limits:
            check(limit, event, success)
        event.save()


def lock(event):
    """Let nobody else count the same email or network until the transaction ends."""
    if connection.vendor == "sqlite":
        return  # whoever began a transaction is the only writer (`transaction_mode`)
    with connection.cursor() as cursor:  # pragma: no cover (the tests on PostgreSQL do)
        for column in EMAIL_AND_NETWORK:  # in one order for all, or two could wait for each other
            name = f"{column}={getattr(event, column)}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def check(limit, event, success):
    """Raise Throttled if `event` is one too many for `limit`, after the `last_success`."""
    columns, start = limit.columns, event.time - limit.window
    if success and limit.kinds in [FAILURES, CODES] and "email" in columns:
        # Where the member has logged in before, that network is counted alone, or whoever hammers
        # the email from elsewhere would keep them out (ASVS 6.1.1).
        columns, start = EMAIL_AND_NETWORK, max(start, success)
    most = getattr(settings, limit.setting)
    counted = SecurityEvent.objects.filter(
        kind__in=limit.kinds, time__gt=start, **same(event, columns)
    )
    # Of the newest `most`, the oldest: once it has left the window, there is room again.
    time = counted.values_list("time", flat=True)[most - 1 : most].first()
    if time:
        raise Throttled(time + limit.window - event.time, columns)


def last_success(event):
    """Return when the holder of the event's email was last let in at its network, or None."""
    # Newest first, as the model orders them.
    times = SecurityEvent.objects.filter(email=event.email).values_list("time", flat=True)
    # Of this holder: whoever had the email before, and deleted the account, is not let in more
    # often than a stranger, however the new account came about (a sign-up, staff, an import).
    # An email that nobody has costs the same queries (ASVS 6.3.8): no user has the number 0.
    own = times.filter(user_id=event.user_id or 0, network=event.network)
    success = own.filter(kind__in=SUCCESSES[event.kind]).first()
    reset = times.filter(kind__in=RESETS).first()
    # A new password is both: a success where it was set.
    return success if success and (reset is None or reset <= success) else None


def same(event, columns):
    return {column: getattr(event, column) for column in columns}


def record_throttled(event, error):
    """Write that `event` was throttled, once in 15 minutes: nobody fills the disk that way."""
    event.kind = Kind.THROTTLED
    recorded = SecurityEvent.objects.filter(
        kind=event.kind, time__gt=event.time - FIFTEEN_MINUTES, **same(event, error.columns)
    )
    if not recorded.exists():
        event.save()
        log(event)
