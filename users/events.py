"""Writing down what happens to accounts: a row of the table, and a line of the log."""

import json
import logging

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from blog_project.clients import CONTROL_CHARACTERS, client, network
from users.emails import EMAIL_MAX_LENGTH, send_email
from users.models import FormerEmail, Kind, SecurityEvent, User

logger = logging.getLogger("django.security.auth")

RECOVER_SALT = "users.recover"
DAYS_KEPT = 90  # which the pages promise: manage.py prune_events deletes what is older

# What strangers can cause without the password.
BY_STRANGERS = [
    Kind.LOGIN_FAILED,
    Kind.SIGNUP_REFUSED,
    Kind.RESET_REQUESTED,
    Kind.PASSKEY_REFUSED,
    Kind.THROTTLED,
]
# And with a stolen session. None of it may push a login that was not the member's off the page.
OFTEN = [
    *BY_STRANGERS,
    Kind.CURRENT_PASSWORD_REFUSED,
    Kind.PICTURE_UPLOADED,
    Kind.PICTURE_REFUSED,
    Kind.POST_CREATED,
]
# What says nothing beside the event that it comes with, or leads to.
WITH_ANOTHER = [
    Kind.PASSKEY_ASKED,
    Kind.CODES_TRIED,
    Kind.NEW_BROWSER,
    Kind.LOGIN_AFTER_FAILURES,
]
STEPS = [Kind.PASSWORD_ACCEPTED, Kind.PASSWORD_CONFIRMED, Kind.FACTOR_CONFIRMED]


def visible_events(user):
    """Return the events that `user` may read, as a queryset."""
    if user.email_confirmed_at:
        return user.events.all()
    # The email may be somebody else's, who tried to log in or to sign up with it: from where, is
    # not for whoever registered it to know.
    return user.events.exclude(kind__in=BY_STRANGERS)


def recent_activity(user):
    """
    Return what happened to `user` last, as a list of events, the newest first.

    The newest of several alike in a row stands for all: its `times` is their number. A step is left
    out if the same browser went on from it. `by_strangers` says whether anybody can cause it.
    """
    events = visible_events(user).exclude(kind__in=WITH_ANOTHER)
    # Each cut by itself, so that neither pushes the other out.
    own = events.exclude(kind__in=OFTEN).values("pk")[:15]
    others = events.filter(kind__in=OFTEN).values("pk")[:15]
    shown = []
    for event in SecurityEvent.objects.filter(Q(pk__in=own) | Q(pk__in=others)):
        newer = shown[-1] if shown else None
        same_browser = newer and (newer.ip, newer.user_agent) == (event.ip, event.user_agent)
        if same_browser and newer.kind == event.kind:
            newer.times += 1
        elif not (same_browser and event.kind in STEPS):
            event.times, event.by_strangers = 1, event.kind in BY_STRANGERS
            shown.append(event)
    return shown


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
