"""Writing down what happens to accounts: a row of the table, and a line of the log."""

import json
import logging

from django.db import transaction
from django.utils.crypto import salted_hmac

from blog_project.clients import CONTROL_CHARACTERS, client, network
from users.emails import EMAIL_MAX_LENGTH
from users.models import Kind, SecurityEvent, User

logger = logging.getLogger("django.security.auth")

# What strangers can cause without the password, an upload with a stolen session: it must not push
# a login that was not the member's off the page.
BY_STRANGERS = [
    Kind.LOGIN_FAILED,
    Kind.SIGNUP_REFUSED,
    Kind.RESET_REQUESTED,
    Kind.PICTURE_UPLOADED,
    Kind.THROTTLED,
]


def visible_events(user):
    """Return the events that `user` may read, as a queryset."""
    if user.email_confirmed_at:
        return user.events.all()
    # The email may be somebody else's, who tried to log in or to sign up with it: from where, is
    # not for whoever registered it to know.
    return user.events.exclude(kind__in=BY_STRANGERS)


def new_event(request, kind, *, user=None, email=None):
    """
    Return the unsaved SecurityEvent of `kind` that `request` brings about.

    `request` is None for what staff do: their browser is not the member's to know, and the
    admin's own history says who it was. `email` is what somebody typed, that of `user` if not
    given.
    """
    who = client(request) if request else {"ip": None, "user_agent": ""}
    return SecurityEvent(
        kind=kind,
        user=user,
        email=sanitize_email(user.email if email is None else email),
        network=network(who["ip"]),
        **who,
    )


def sanitize_email(email):
    """Return `email`, which somebody typed, as events keep it: normalised and cut."""
    # As the login form reads it: a full-width "＠" is one, too.
    email = User.objects.normalize_email(CONTROL_CHARACTERS.sub(" ", email))
    if "@" not in email:
        # People type passwords into the wrong field. A digest tells them apart as well.
        digest = salted_hmac("users.events", email, algorithm="sha256").hexdigest()
        return f"no email: {digest[:16]}"
    return email[:EMAIL_MAX_LENGTH]


def record(request, kind, **who):
    """Write and return the event of `kind` that `request` brings about, as `new_event` has it."""
    event = new_event(request, kind, **who)
    event.save()
    log(event)
    return event


def log(event):
    """Write `event` as one line of JSON once the transaction commits."""
    line = json.dumps(  # which escapes whatever could begin another line or colour a terminal
        {
            "event": event.kind,
            "time": event.time.isoformat(),
            "user": event.user_id,
            "email": event.email,
            "ip": event.ip,
            "browser": event.user_agent,
        }
    )
    transaction.on_commit(lambda: logger.info("%s", line))
