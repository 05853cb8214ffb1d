"""Mails to members, and the signed links in them that confirm an email."""

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.core.mail import EmailMessage
from django.core.validators import RegexValidator
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from blog_project.database import release_connection
from blog_project.site import site

logger = logging.getLogger(__name__)

MAIL_NOT_SENT = "The mail could not be sent."
LINK_SENT = "A link to confirm your email is on its way to {email}. It works for 3 days."
SALT = "users.confirm_email"
EMAIL_MAX_LENGTH = 254  # RFC 5321

# EmailField already refuses what is no email. This refuses the rest of what browsers do not take
# in <input type="email">, with which nobody could log in: "quoted"@x.org, a@[127.0.0.1], letters
# that only look like a to z; and domains without a dot, which no mail from outside reaches.
validate_public_email = RegexValidator(
    r"\A[!#-?A-~]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+\Z",
    message="Enter a valid email address.",
    code="invalid",
)


class ResetTokens(PasswordResetTokenGenerator):
    """Django's tokens, which a login does not kill: else whoever knows the old password could."""

    def _make_hash_value(self, user, timestamp):
        return f"{user.pk}{user.password}{timestamp}{user.email}"


reset_tokens = ResetTokens()


def send_email(request, name, to, *, sent=None, **context):
    """
    Send the template `users/emails/{name}.txt` to the email `to` once the transaction commits.

    The template's first line is the subject. `request` is the one that asks for the mail: its
    visitor is told `sent`, if given, or that the mail could not be sent. Nothing is raised: a
    mail server that is down, or slower than EMAIL_TIMEOUT, must not undo what was done.
    """
    # Not rendered for `request`, whose visitor need not be the `user` that the mail greets.
    text = render_to_string(f"users/emails/{name}.txt", {**site(), **context})
    subject, _, body = text.strip().partition("\n")

    def send():
        release_connection()  # a mail server takes up to EMAIL_TIMEOUT
        try:
            EmailMessage(subject, body.strip() + "\n", to=[to]).send()
        except Exception:  # every mail backend has errors of its own
            logger.exception("The mail %r could not be sent.", name)
            if not hasattr(request, "mail_not_sent"):  # two mails, one message
                request.mail_not_sent = True
                messages.error(request, MAIL_NOT_SENT)
        else:
            if sent:
                messages.info(request, sent)

    transaction.on_commit(send)


def send_link(request, name, user, email):
    """Mail `email` the link with which `user` confirms it, in the template `name` of emails."""
    token = signing.dumps([user.pk, email, fingerprint(user)], salt=SALT)
    link = settings.SITE_URL + reverse("email_confirm", args=[token])
    sent = LINK_SENT.format(email=email)  # there a typo is seen
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


def fingerprint(user):
    """
    Return a digest of the user's state: a link dies when any of it changes, by its use too.

    The password is not in it: the member is asked for when the link is opened.
    """
    state = f"{user.email}\n{user.pending_email}\n{user.email_confirmed_at}"
    return salted_hmac(SALT, state, algorithm="sha256").hexdigest()[:32]
