"""Writing down what happens to accounts: a row of the table, and a line of the log."""

import json
import logging

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac

from blog_project.clients import CONTROL_CHARACTERS, client, network
from users.emails import EMAIL_MAX_LENGTH, send_email
from users.models import FormerEmail, Kind, SecurityEvent, User

logger = logging.getLogger("django.security.auth")

RECOVER_SALT = "users.recover"

# What strangers can cause without the password, uploads and posts with a stolen session: it must
# not push a login that was not the member's off the page.
BY_STRANGERS = [
    Kind.LOGIN_FAILED,
    Kind.SIGNUP_REFUSED,
    Kind.RESET_REQUESTED,
    Kind.PICTURE_UPLOADED,
    Kind.PASSKEY_REFUSED,
    Kind.THROTTLED,
    Kind.POST_CREATED,
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


def notify(request, name, event, *, to=None, **context):
    """
    Mail the member of `event` the template `name`: what happened, when, and with which browser.

    To the email that the member has, or to `to`. With the link that takes the account back
    ("This wasn't me"), if that email was the member's own before the event.
    """
    user, to = event.user, to or event.user.email
    link = None
    if to == trusted_email(user):
        token = signing.dumps([user.pk, to, event.time.isoformat()], salt=RECOVER_SALT)
        link = settings.SITE_URL + reverse("recover", args=[token])
    send_email(request, name, to, user=user, event=event, link=link, **context)


def trusted_email(user):
    """
    Return the confirmed email that `user` has had for RECOVER_LINK_DAYS or longest, or None.

    One that the account has just moved to may be that of whoever moved it there.
    """
    former = FormerEmail.objects.recent(user=user).first()
    if former:
        return former.email
    return user.email if user.email_confirmed_at else None
