"""Your account page: who you are on this site."""

import logging
from copy import copy
from itertools import groupby, islice

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.shortcuts import redirect
from django.views.generic import UpdateView

from users.forms.profile import ProfileForm
from users.models import Kind

from .account import AccountMixin

logger = logging.getLogger(__name__)

NOT_STORED = "The picture could not be stored. Please try again later."
ACCOUNT_UPDATED = "Your account has been updated."
REFUSED = {Kind.LOGIN_FAILED, Kind.EMAIL_TRIED, Kind.THROTTLED}


class AccountView(AccountMixin, UpdateView):
    form_class = ProfileForm
    template_name = "users/account.html"
    context_object_name = "profile"  # not `user`, who is named in the heading

    def get_object(self):
        # A copy: what somebody types into the form is not yet their name in the heading.
        return copy(self.request.user)

    def get_context_data(self, **kwargs):
        # What was refused again and again is one line: a login that was not the member's must not
        # be pushed off the page.
        events = groupby(
            self.request.user.events.all()[:100],
            key=lambda event: event.kind if event.kind in REFUSED else event.pk,
        )
        activity = [(next(run), 1 + len(list(run))) for _, run in islice(events, 10)]
        return super().get_context_data(activity=activity, **kwargs)

    def form_valid(self, form):
        try:
            saved = form.save_unless_taken(form.instance)
        except OSError:  # a full disk, say
            logger.exception("A picture could not be stored.")
            form.add_error("picture", NOT_STORED)
            saved = False
        if not saved:
            return self.form_invalid(form)
        messages.success(self.request, ACCOUNT_UPDATED)
        return redirect("account")


def picture(request, name):
    """Serve the picture of a member as a picture, whatever it may hold."""
    try:
        file = default_storage.open(f"pictures/{name}.jpg")
    except FileNotFoundError:
        raise Http404 from None
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        # A new picture has a new name. A day, for one that was deleted.
        "Cache-Control": "public, max-age=86400, immutable",
    }
    return FileResponse(file, content_type="image/jpeg", headers=headers)
