"""
Counting what is tried too often, in the table of security events.

The table is one for all processes and machines. An attempt is written into it before any password
is hashed, and under a lock: a thousand attempts at once count like a thousand in turn.
"""

from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from blog_project.try_later import TryLater
from users.events import log, new_event
from users.hashing import HashingBusy
from users.limits import BOTH, FAILED, PASSWORDS, QUARTER, mails
from users.models import Kind, SecurityEvent, User


class Throttled(TryLater):
    """Too many attempts, alike in `columns`, in too short a time."""

    status = 429

    def __init__(self, wait, columns):
        super().__init__(wait)
        self.columns = columns


# Whoever does one of these at some place is the member: what was guessed there is forgotten.
PROOFS = [Kind.LOGIN, Kind.PASSWORD_CONFIRMED, Kind.PASSWORD_CHANGED, Kind.RESET_USED]
# From one of these on, the member may be another, who was let in nowhere yet.
BEGINNINGS = [Kind.REGISTERED, Kind.EMAIL_CHANGED, Kind.PASSWORD_CHANGED, Kind.RESET_USED]


@contextmanager
def current_password(request):
    """
    Let the block test the current password of the member of `request`, as `attempt` does.

    A wrong one, for which the block raises ValidationError, stays the failure that it began as.
    """
    user = request.user
    with attempt(request, PASSWORDS, Kind.LOGIN_FAILED, user.email, user) as event:
        yield
        event.kind = Kind.PASSWORD_CONFIRMED


def mail_attempt(request, kind, email, user=None):
    """Let the block mail `email`, which `user` may have, because of an event of `kind`."""
    return attempt(request, mails(kind), kind, email, user)


@contextmanager
def attempt(request, limits, kind, address, user=None):
    """
    Let the block try something that `limits` limit, for the e-mail `address`, which is `user`'s.

    Before the block runs an event of `kind` is written, and handed to it: others count it while
    the block is at work. What comes better than that, the block says with `event.kind`; what it
    raises leaves the event as it is. Raises Throttled, without running the block, if there were
    too many.
    """
    event = new_event(request, kind, address=address, user=user)
    if user is None:
        owner = User.objects.filter(email=event.address)
        event.user_id = owner.values_list("pk", flat=True).first()
    try:
        admit(event, limits)
    except Throttled as error:
        note_throttled(event, error)
        raise
    try:
        yield event
    except HashingBusy:
        event.delete()  # nothing was tried: to be busy must not lock members out
        raise
    finally:
        if event.pk:
            if event.kind != kind:
                event.save(update_fields=["kind", "user"])
            log(event)


def admit(event, limits):
    """Save `event`, or raise Throttled if that were one too many for one of `limits`."""
    with transaction.atomic(durable=True):
        lock(event)
        event.time = timezone.now()  # or those that waited for the lock would be in no order
        proof = last_proof(event) if event.kind in FAILED else None
        for limit in limits:
            check(limit, event, proof)
        event.save()


def lock(event):
    """Let nobody else count the same address or network until the transaction ends."""
    if connection.vendor == "sqlite":
        return  # whoever began a transaction is the only writer (`transaction_mode`)
    with connection.cursor() as cursor:
        for column in BOTH:  # in one order for all, or two could wait for each other
            name = f"{column}={getattr(event, column)}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def last_proof(event):
    """Return when the holder of the address of `event` was last let in at its network, or None."""
    # Newest first, as the model orders them.
    times = SecurityEvent.objects.filter(address=event.address).values_list("time", flat=True)
    proof = times.filter(network=event.network, kind__in=PROOFS).first()
    beginning = times.filter(kind__in=BEGINNINGS).first()
    # A new password is both, and a proof where it was set.
    return proof if proof and (beginning is None or beginning <= proof) else None


def check(limit, event, proof):
    """Raise Throttled if `event` is one too many for `limit`, after the `last_proof`."""
    columns, start = limit.columns, event.time - limit.window
    if proof and "address" in columns:
        # A usual place of the member is counted by itself, or whoever hammers the address from
        # elsewhere would keep them out (ASVS 6.1.1).
        columns, start = BOTH, max(start, proof)
    most = getattr(settings, limit.setting)
    counted = SecurityEvent.objects.filter(
        kind__in=limit.kinds, time__gt=start, **alike(event, columns)
    )
    # Of the newest `most`, the oldest: once it has left the window, there is room again.
    time = counted.values_list("time", flat=True)[most - 1 : most].first()
    if time:
        raise Throttled(time + limit.window - event.time, columns)


def alike(event, columns):
    return {column: getattr(event, column) for column in columns}


def note_throttled(event, error):
    """Write that `event` was throttled, once a quarter of an hour: nobody fills the disk so."""
    event.kind = Kind.THROTTLED
    noted = SecurityEvent.objects.filter(
        kind=event.kind, time__gt=event.time - QUARTER, **alike(event, error.columns)
    )
    if not noted.exists():
        event.save()
        log(event)
