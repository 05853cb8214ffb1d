"""Log in and log out."""

import time

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from users.emails import send_email
from users.events import record
from users.forms import LoginForm
from users.models import Kind, User
from users.throttle import DAY, PASSWORD_LIMITS, ThrottleMixin

from .account import DeletedConcurrentlyMixin

STAFF_ONLY = "The admin is for staff, and your account is not a staff account."
LOGIN_REQUIRED = "Please log in to access this page."
UNCONFIRMED_KEY = "unconfirmed"
UNCONFIRMED_SECONDS = 10 * 60
MANY_FAILURES = 10  # within a day


class IgnoreSelfRedirectMixin:
    """View mixin that ignores a `next` which leads back to this very page."""

    def get_redirect_url(self):
        url = super().get_redirect_url()
        # /login/?next=/login/ is a ValueError of Django's, a 500; ?next=%23 ("#") goes in circles.
        return url if url.startswith("/") and url != self.request.path else ""


def remember_unconfirmed(request, user):
    """Note that the right password of `user`, whose email is unconfirmed, has just been given."""
    request.session.cycle_key()  # as a login does: nobody shall have planted it (ASVS 7.2.4)
    noted = [user.pk, user.get_session_auth_hash(), int(time.time())]
    request.session[UNCONFIRMED_KEY] = noted


def get_unconfirmed(request):
    """Return the user that `remember_unconfirmed` noted, or None if that is over."""
    pk, seen, since = request.session.get(UNCONFIRMED_KEY, [None, "", 0])
    if time.time() - since > UNCONFIRMED_SECONDS:
        return None
    user = User.objects.filter(pk=pk, is_active=True, email_confirmed_at=None).first()
    # Not with a password that has changed since.
    same = user and constant_time_compare(seen, user.get_session_auth_hash())
    return user if same else None


def warn_after_failures(request, user):
    """Mail `user`, once a day, that a login followed many refused passwords (ASVS 6.3.5)."""
    today = user.events.filter(time__gt=timezone.now() - DAY)
    refused = today.filter(kind=Kind.LOGIN_FAILED).count()
    if refused < MANY_FAILURES or today.filter(kind=Kind.LOGIN_AFTER_FAILURES).exists():
        return
    event = record(request, Kind.LOGIN_AFTER_FAILURES, user=user)
    context = {"user": user, "event": event, "refused": refused}
    send_email(request, "login_after_failures", user.email, **context)


class LoginView(
    DeletedConcurrentlyMixin, ThrottleMixin, IgnoreSelfRedirectMixin, auth_views.LoginView
):
    form_class = LoginForm
    template_name = "users/login.html"
    redirect_authenticated_user = True
    limits = PASSWORD_LIMITS
    kind = Kind.LOGIN_FAILED
    email_field = "username"

    def get(self, request, *args, **kwargs):
        # `next` is there when login_required sent the visitor here.
        if self.get_redirect_url():
            messages.info(request, LOGIN_REQUIRED)
        return super().get(request, *args, **kwargs)

    def form_valid(self, form):
        self.succeed(Kind.LOGIN)
        response = super().form_valid(form)
        warn_after_failures(self.request, form.get_user())
        remember = form.cleaned_data["remember"]
        # None: what the settings say, until the browser closes.
        self.request.session.set_expiry(settings.REMEMBER_ME_SECONDS if remember else None)
        return response

    def form_invalid(self, form):
        if form.unconfirmed:
            self.succeed(Kind.PASSWORD_CONFIRMED)
            remember_unconfirmed(self.request, form.unconfirmed)
        return super().form_invalid(form)

    def is_attempt(self, form):
        return bool(form.non_field_errors())  # else a field was empty, and nothing was hashed


def clear_browser_cache(response):
    """Ask the browser with `response` to forget the pages that it kept (ASVS 14.3.1)."""
    response["Clear-Site-Data"] = '"cache"'
    return response


class LogoutView(IgnoreSelfRedirectMixin, auth_views.LogoutView):
    """Logs out by POST; whoever opens the URL sees a page with the button."""

    http_method_names = [*auth_views.LogoutView.http_method_names, "get", "head"]
    template_name = "users/logout.html"

    def post(self, request, *args, **kwargs):
        user = request.user
        response = super().post(request, *args, **kwargs)
        if user.is_authenticated:
            record(request, Kind.LOGOUT, user=user)
        return clear_browser_cache(response)

    def get(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect(settings.LOGOUT_REDIRECT_URL)
        return super().get(request, *args, **kwargs)


def admin_login(request):
    """
    Stand in for the login page of the admin, so that there is one to guard (ASVS 6.3.4).

    Django's admin sends whoever may not enter here: strangers go on to the login page, members
    are told.
    """
    if request.user.is_authenticated and not admin.site.has_permission(request):
        raise PermissionDenied(STAFF_ONLY)
    # Whoever is staff already goes straight through.
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


def csrf_failure(request, reason=""):
    """
    Say that a form was not accepted, and lead on: CSRF_FAILURE_VIEW.

    It may be forged, but most of the time the visitor has logged in or out in another tab, and
    the token of this one is of before.
    """
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
        page = request.get_full_path()
    context = {"page": page}
    for_strangers = [reverse("login"), reverse("register")]
    if request.user.is_authenticated and request.path in for_strangers:
        # There is no form any more to load again; on to where it would have led.
        context["goal"] = LoginView(request=request).get_success_url()
    return render(request, "403_csrf.html", context, status=403)
