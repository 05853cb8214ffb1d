"""Mails to members, and the signed links in them that confirm an email."""

import logging
import re
from datetime import timedelta
from textwrap import fill

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends import console
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

    `request` is the one that asks for the mail: its visitor is told `sent`, if given, or that the
    mail could not be sent. Nothing is raised: a mail server that is down, or slower than
    EMAIL_TIMEOUT, must not undo what was done.
    """
    mail = compose(name, {**site(), **context})
    mail.to = [to]

    def send():
        release_connection()  # a mail server takes some seconds
        try:
            mail.send()
        except Exception:  # every mail backend has errors of its own
            logger.exception("The mail %r could not be sent.", name)
            if not hasattr(request, "mail_not_sent"):  # two mails, one message
                request.mail_not_sent = True
                messages.error(request, MAIL_NOT_SENT)
        else:
            if sent:
                messages.info(request, sent)

    transaction.on_commit(send)


def compose(name, context):
    """
    Return the mail of the template `users/emails/{name}.txt`, as text and as HTML.

    The template is paragraphs with empty lines between them; the first is the subject. One that
    ends with a link of this site on a line of its own becomes a button in the HTML.
    """
    # Not rendered for the request, whose visitor need not be the `user` that the mail greets.
    text = render_to_string(f"users/emails/{name}.txt", context)
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        words, _, path = paragraph.partition(f"\n{settings.SITE_URL}/")
        paragraphs.append((" ".join(words.split()), path and f"{settings.SITE_URL}/{path}"))
    (subject, _), *paragraphs = paragraphs
    lines = [
        fill(words, 76, break_long_words=False, break_on_hyphens=False) + (link and f"\n{link}")
        for words, link in paragraphs
    ]
    html = {**context, "subject": subject, "paragraphs": paragraphs}
    mail = EmailMultiAlternatives(subject, "\n\n".join(lines) + "\n")
    mail.attach_alternative(render_to_string("users/emails/mail.html", html), "text/html")
    return mail


class TerminalBackend(console.EmailBackend):
    """Shows the developer whom a mail is for, its subject, and its link; without one, its text."""

    def write_message(self, message):
        link = re.search(r"^https?://\S+$", message.body, re.MULTILINE)
        text = link[0] if link else message.body.strip()
        self.stream.write(
            f"---- Mail to {', '.join(message.to)}: {message.subject}\n{text}\n----\n"
        )


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
