"""Mail to members: plain text, one template each, sent when what it tells of is safely stored."""

import logging

from django.contrib import messages
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from blog_project import connections

logger = logging.getLogger(__name__)

MAIL_NOT_SENT = "The mail could not be sent."


def send_email(request, name, to, *, sent=None, **context):
    """
    Send the template `users/emails/{name}.txt` to the address `to` once the transaction commits.

    The template's first line is the subject. `request` is the one that asks for the mail: its
    visitor is told `sent`, if given, or that the mail could not be sent. Nothing is raised: a
    mail server that is down, or slower than EMAIL_TIMEOUT, must not undo what was done.
    """
    # Not rendered for `request`, whose visitor need not be the `user` that the mail greets.
    text = render_to_string(f"users/emails/{name}.txt", {**context, "request": request})
    subject, _, body = text.strip().partition("\n")

    def send():
        connections.give_back()  # a mail server takes up to EMAIL_TIMEOUT
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
