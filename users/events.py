"""Writing down what happens to accounts: a row of the table, and a line of the log."""

import json
import logging

from django.db import transaction
from django.utils.crypto import salted_hmac

from users.clients import CONTROL_CHARACTERS, client, network
from users.models import EMAIL_MAX_LENGTH, SecurityEvent, User

logger = logging.getLogger("django.security.auth")


def new_event(request, kind, *, user=None, address=None):
    """
    Return the unsaved SecurityEvent of `kind` that `request` brings about.

    `request` is None for what staff do: their browser is not the member's to know, and the
    admin's own history says who it was. `address` is what somebody typed; without it, the e-mail
    address of `user` is meant.
    """
    who = client(request) if request else {"ip": None, "user_agent": ""}
    return SecurityEvent(
        kind=kind,
        user=user,
        address=loggable(user.email if address is None else address),
        network=network(who["ip"]),
        **who,
    )


def loggable(address):
    """Return `address`, which somebody typed, as events keep it: normalised and cut."""
    if "@" not in address:
        # People type passwords into the wrong field. A digest tells them apart as well.
        digest = salted_hmac("users.events", address, algorithm="sha256").hexdigest()
        return f"no address: {digest[:16]}"
    address = CONTROL_CHARACTERS.sub(" ", address)
    return User.objects.normalize_email(address)[:EMAIL_MAX_LENGTH]


def record(request, kind, **who):
    """Write the event of `kind` that `request` brings about, as `new_event` has it."""
    event = new_event(request, kind, **who)
    event.save()
    log(event)


def log(event):
    """Write `event` as one line of JSON once the transaction commits."""
    line = json.dumps(  # which escapes whatever could begin another line or colour a terminal
        {
            "event": event.kind,
            "time": event.time.isoformat(),
            "user": event.user_id,
            "address": event.address,
            "ip": event.ip,
            "browser": event.user_agent,
        }
    )
    transaction.on_commit(lambda: logger.info("%s", line))
