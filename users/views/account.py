"""Your account page: who you are on this site. And what all pages of an account share."""

import logging
from copy import copy

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.storage import default_storage
from django.db import DatabaseError, OperationalError
from django.http import FileResponse, Http404
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import UpdateView

from users.emails import send_email
from users.forms import ProfileForm
from users.models import Kind, User
from users.throttle import (
    PICTURE_LIMITS,
    USERNAME_LIMITS,
    attempt,
)

logger = logging.getLogger(__name__)

NOT_STORED = "The picture could not be saved. Please try again later."
ACCOUNT_UPDATED = "Your account has been updated."


class DeletedConcurrentlyMixin:
    """View mixin that logs out a member whose account is deleted, or taken back, meanwhile."""

    def dispatch(self, request, *args, **kwargs):
        try:
            return super().dispatch(request, *args, **kwargs)
        except OperationalError:  # of a database that is away: asked again, it fails again
            raise
        except (DatabaseError, ObjectDoesNotExist):
            user = request.user
            same = User.objects.filter(pk=user.pk, password=getattr(user, "password", ""))
            if user.is_anonymous or same.exists():
                raise
            logout(request)
            return redirect("login")


@method_decorator([sensitive_post_parameters(), login_required], name="dispatch")
class AccountView(DeletedConcurrentlyMixin, UpdateView):
    form_class = ProfileForm
    template_name = "users/account.html"
    context_object_name = "profile"  # not `user`, who is named in the heading

    def get_object(self):
        # A copy: what somebody types into the form is not yet their name in the heading.
        return copy(self.request.user)

    def post(self, request, *args, **kwargs):
        if "picture" not in request.FILES:  # a change of the username costs nothing
            return super().post(request, *args, **kwargs)
        user = request.user
        with attempt(request, PICTURE_LIMITS, Kind.PICTURE_REFUSED, user.email, user) as event:
            response = super().post(request, *args, **kwargs)
            if response.status_code == 302:  # on to the page that shows it
                event.kind = Kind.PICTURE_UPLOADED
                event.save(update_fields=["kind"])
            return response

    def form_valid(self, form):
        if not form.has_changed():
            return redirect("account")
        if "username" not in form.changed_data:
            return self.save(form)
        user = self.request.user
        with attempt(
            self.request, USERNAME_LIMITS, Kind.USERNAME_CHANGED, user.email, user
        ) as event:
            response = self.save(form)
            if form.errors:
                event.delete()
            else:  # ASVS 6.3.7
                names = {"old": user.username, "new": form.instance.username}
                send_email(
                    self.request, "username_changed", user.email, user=form.instance, **names
                )
        return response

    def save(self, form):
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
