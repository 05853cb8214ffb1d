"""
Proof that it is you: the password or a second factor, given not long ago.

What cannot be undone asks for it (ASVS 7.5.1 to 7.5.3), and the admin does: a thief of a session
has neither.
"""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse

from users.sessions import is_proved

FACTOR_KEY = "second factor"
NEW_CODES_KEY = "new recovery codes"
NOTHING_CHANGED = "Nothing has been changed. Please confirm that it is you, and send it again."
SECOND_FACTOR_FIRST = "Your account needs a second factor: please add a passkey or an app."
NEW_CODES_FIRST = "That was your last recovery code: please make new ones."

# Where members may go who have to add a second factor, or to make recovery codes.
OPEN_TO_ALL = {
    *["logout", "admin_logout", "picture", "confirm", "confirm_passkey", "passkey_options"],
    *["email_confirm", "email_confirm_send", "recover"],
    *["email_change", "email_change_send", "email_change_cancel"],  # a factor needs a confirmed one
    *["security", "passkey_add", "passkey_add_options", "passkey", "passkey_remove"],
    *["app", "app_remove", "codes"],
}
# Where factors are added.
ADDING = {"passkey_add", "passkey_add_options", "app"}


def proof_required(page=None):
    """
    Decorate a view so that it asks for proof, and leads back to the URL named `page`, or itself.

    A form that comes too late changes nothing.
    """

    def decorator(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if is_proved(request, settings.PROOF_SECONDS):
                return view(request, *args, **kwargs)
            if request.method == "POST":
                messages.warning(request, NOTHING_CHANGED)
            goal = reverse(page) if page else request.get_full_path()
            return redirect_to_login(goal, reverse("confirm"))

        return guarded

    return decorator


class Guard:
    """Middleware: members who have to set something up do that first; the admin asks for proof."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        session, page = request.session, request.resolver_match.view_name
        if page in ADDING and not settings.SECOND_FACTORS_OFFERED:
            raise Http404
        if page in OPEN_TO_ALL or not session.session_key or request.user.is_anonymous:
            return None
        user = request.user
        if session.get(NEW_CODES_KEY) and user.has_second_factor:
            messages.warning(request, NEW_CODES_FIRST)
            return redirect("codes")
        if user.needs_second_factor and not session.get(FACTOR_KEY):
            if not user.has_second_factor:
                messages.warning(request, SECOND_FACTOR_FIRST)
                return redirect("security")
            session[FACTOR_KEY] = True  # not asked for again on each page
        in_admin = user.is_staff and request.path.startswith(reverse("admin:index"))
        if not in_admin or is_proved(request, settings.ADMIN_PROOF_SECONDS):
            return None
        if request.method == "POST":  # what was typed is not lost
            return render(request, "403_proof.html", status=403)
        return redirect_to_login(request.get_full_path(), reverse("confirm"))
