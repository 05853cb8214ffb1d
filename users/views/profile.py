"""Your account page: who you are on this site."""

import logging
from copy import copy

from django.contrib import messages
from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import FileResponse, Http404
from django.shortcuts import redirect
from django.views.generic import UpdateView

from users.forms.profile import ProfileForm
from users.models import Kind, SecurityEvent

from .account import AccountMixin

logger = logging.getLogger(__name__)

NOT_STORED = "The picture could not be stored. Please try again later."
ACCOUNT_UPDATED = "Your account has been updated."
# What strangers can do in a member's name, and who did not know the password: it must not push
# a login that was not the member's off the page.
BY_STRANGERS = [Kind.LOGIN_FAILED, Kind.EMAIL_TRIED, Kind.RESET_ASKED, Kind.THROTTLED]


class AccountView(AccountMixin, UpdateView):
    form_class = ProfileForm
    template_name = "users/account.html"
    context_object_name = "profile"  # not `user`, who is named in the heading

    def get_object(self):
        # A copy: what somebody types into the form is not yet their name in the heading.
        return copy(self.request.user)

    def get_context_data(self, **kwargs):
        events = self.request.user.events
        own = events.exclude(kind__in=BY_STRANGERS).values("pk")[:10]
        others = events.filter(kind__in=BY_STRANGERS).values("pk")[:5]
        recent = SecurityEvent.objects.filter(Q(pk__in=own) | Q(pk__in=others))
        return super().get_context_data(events=recent, **kwargs)

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
