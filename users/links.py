"""Signed links that confirm an e-mail address."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from .emails import send_email

LINK_SENT = "A link is on its way to your mailbox. It works for 3 days."
SALT = "users.confirm_email"


def fingerprint(user):
    """Return a digest of all that kills the link of `user` when it changes, the link's use too."""
    state = f"{user.email}\n{user.password}\n{user.email_confirmed_at}"
    return salted_hmac(SALT, state, algorithm="sha256").hexdigest()[:32]


def send_link(request, name, user, email, *, sent=LINK_SENT):
    """Mail `email` the link with which `user` confirms it, in the template `name` of emails."""
    token = signing.dumps([user.pk, email, fingerprint(user)], salt=SALT)
    link = request.build_absolute_uri(reverse("email_confirm", args=[token]))
    send_email(request, name, email, sent=sent, user=user, link=link)


def read_token(token, users):
    """
    Return (user, email, alive) for the `token` of a link, the user out of the queryset `users`.

    `alive` says whether the link can still be used. Raises signing.BadSignature for a token that
    is forged, cut, meant for something else, or older than CONFIRM_LINK_DAYS, and
    User.DoesNotExist if the account is gone or deactivated.
    """
    max_age = timedelta(days=settings.CONFIRM_LINK_DAYS)
    pk, email, seen = signing.loads(token, salt=SALT, max_age=max_age)
    user = users.get(pk=pk, is_active=True)
    return user, email, constant_time_compare(seen, fingerprint(user))
