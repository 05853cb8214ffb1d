"""Log in and log out."""

import time
from datetime import timedelta

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from blog_project.clients import device_name
from users.events import notify, record
from users.forms import LoginForm
from users.models import Kind, User
from users.throttle import DAY, FAILURES, PASSWORD_LIMITS, ThrottleMixin

from .account import DeletedConcurrentlyMixin

STAFF_ONLY = "The admin is for staff, and your account is not a staff account."
LOGIN_REQUIRED = "Please log in to access this page."
LOGGED_OUT = "You are logged out."
NEW_MEMBER_KEY = "new member"
HALF_LOGIN_KEY = "half login"
HALF_LOGIN_SECONDS = 10 * 60
MANY_FAILURES = 10  # within a day
BROWSER_KNOWN = timedelta(days=90)  # as long as events are kept
BROWSERS_KNOWN = 50  # the last ones: to read a User-Agent takes up to two milliseconds


class IgnoreSelfRedirectMixin:
    """View mixin that ignores a `next` which leads back to this very page."""

    def get_redirect_url(self):
        url = super().get_redirect_url()
        # /login/?next=/login/ is a ValueError of Django's, a 500; ?next=%23 ("#") goes in circles.
        return url if url.startswith("/") and url != self.request.path else ""


def begin_half_login(request, user, remember=False):
    """Note that the right password of `user` has just been given, and that it is not enough."""
    request.session.cycle_key()  # as a login does: nobody shall have planted it (ASVS 7.2.4)
    noted = [user.pk, user.get_session_auth_hash(), int(time.time()), remember, 0]
    request.session[HALF_LOGIN_KEY] = noted
    request.session.set_expiry(HALF_LOGIN_SECONDS)


def get_half_login(request):
    """Return the user of `begin_half_login`, and whether to remember them; or None and False."""
    noted = request.session.get(HALF_LOGIN_KEY, [None, "", 0, False, 0])
    pk, seen, since, remember, _ = noted  # and how many codes were refused
    if time.time() - since > HALF_LOGIN_SECONDS:
        return None, False
    user = User.objects.filter(pk=pk, is_active=True).first()
    # Not with a password that has changed since.
    same = user and constant_time_compare(seen, user.get_session_auth_hash())
    return (user, remember) if same else (None, False)


def get_unconfirmed(request):
    """Return the user who has just given the right password, but never confirmed an email."""
    user, _ = get_half_login(request)
    return user if user and user.never_confirmed else None


def finish_login(request, user, event, remember=False):
    """Log in `user`, who has shown all that was asked for, with the `event` that says so."""
    first = user.last_login is None
    login(request, user)
    request.session.pop(HALF_LOGIN_KEY, None)
    # None: what the settings say, until the browser closes.
    request.session.set_expiry(settings.REMEMBER_ME_SECONDS if remember else None)
    tell_of_login(request, event, first)


def tell_of_login(request, event, first):
    """Mail the member what is odd about a login: a new browser, many wrong passwords before it."""
    user, today = event.user, Q(time__gt=event.time - DAY)
    # Of two logins at once, neither is before the other.
    before = user.events.filter(time__gt=event.time - BROWSER_KNOWN, time__lt=event.time)
    logins = Q(kind=Kind.LOGIN)
    seen = before.aggregate(  # one query, with each login
        refused=Count("pk", today & Q(kind__in=FAILURES)),
        told=Count("pk", today & Q(kind=Kind.LOGIN_AFTER_FAILURES)),
        same_browser=Count("pk", logins & Q(user_agent=event.user_agent)),
        browsers_told=Count("pk", today & Q(kind=Kind.NEW_BROWSER)),
    )
    if seen["refused"] >= MANY_FAILURES and not seen["told"]:  # ASVS 6.3.5
        odd = record(request, Kind.LOGIN_AFTER_FAILURES, user=user)
        notify(request, "login_after_failures", odd, refused=seen["refused"])
    # Not to an email that may be a stranger's, and once a day: a browser says what it likes to be.
    if first or seen["same_browser"] or seen["browsers_told"] or not user.email_confirmed_at:
        return
    agents = before.filter(logins).order_by().values("user_agent").annotate(last=Max("time"))
    known = [agent["user_agent"] for agent in agents.order_by("-last")[:BROWSERS_KNOWN]]
    if event.device not in map(device_name, known):  # a newer version is none
        notify(request, "new_browser", record(request, Kind.NEW_BROWSER, user=user))


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
        # `next` is there when login_required sent the visitor here, or to the sign-up before.
        if self.get_redirect_url() and NEW_MEMBER_KEY not in request.session:
            messages.info(request, LOGIN_REQUIRED)
        return super().get(request, *args, **kwargs)

    def get_initial(self):
        # Whoever has just signed up need not type the email again.
        email = self.request.session.get(NEW_MEMBER_KEY)
        return {"username": email} if email else {}

    def form_valid(self, form):
        user, remember = form.get_user(), form.cleaned_data["remember"]
        if user.has_second_factor:  # on to views/verify.py
            self.succeed(Kind.PASSWORD_ACCEPTED)
            begin_half_login(self.request, user, remember)
            return redirect_to_login(self.get_success_url(), "login_verify")
        self.succeed(Kind.LOGIN, user)
        finish_login(self.request, user, self.event, remember)
        return redirect(self.get_success_url())

    def form_invalid(self, form):
        if form.unconfirmed:
            factor = form.unconfirmed.has_second_factor
            self.succeed(Kind.PASSWORD_ACCEPTED if factor else Kind.PASSWORD_CONFIRMED)
            begin_half_login(self.request, form.unconfirmed)
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
            messages.success(request, LOGGED_OUT)
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
