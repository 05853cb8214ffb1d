"""Log in and log out."""

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse

from users.events import record
from users.forms.login import LoginForm
from users.models import Kind

from .account import DeletedMeanwhileMixin

STAFF_ONLY = "The admin is for staff, and your account is not a staff account."
LOGIN_REQUIRED = "Please log in to access this page."


def forget_pages(response):
    """Ask the browser with `response` to forget the pages that it kept (ASVS 14.3.1)."""
    response["Clear-Site-Data"] = '"cache"'
    return response


class NextElsewhereMixin:
    """Takes a `next` that leads back to this very page for none at all."""

    def get_redirect_url(self):
        url = super().get_redirect_url()
        # /login/?next=/login/ is a ValueError of Django's, a 500; ?next=%23 ("#") goes in circles.
        return url if url.startswith("/") and url != self.request.path else ""


class LoginView(DeletedMeanwhileMixin, NextElsewhereMixin, auth_views.LoginView):
    form_class = LoginForm
    template_name = "users/login.html"
    redirect_authenticated_user = True

    def get(self, request, *args, **kwargs):
        # `next` is there when login_required sent the visitor here.
        if self.get_redirect_url():
            messages.info(request, LOGIN_REQUIRED)
        return super().get(request, *args, **kwargs)

    def form_valid(self, form):
        response = super().form_valid(form)
        remember = form.cleaned_data["remember"]
        # None: what the settings say, until the browser closes.
        self.request.session.set_expiry(settings.REMEMBER_ME_SECONDS if remember else None)
        return response


class LogoutView(NextElsewhereMixin, auth_views.LogoutView):
    """Logs out by POST; whoever opens the address sees a page with the button."""

    http_method_names = [*auth_views.LogoutView.http_method_names, "get", "head"]
    template_name = "users/logout.html"

    def post(self, request, *args, **kwargs):
        user = request.user
        response = super().post(request, *args, **kwargs)
        if user.is_authenticated:
            record(request, Kind.LOGOUT, user=user)
        return forget_pages(response)

    def get(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect(settings.LOGOUT_REDIRECT_URL)
        return super().get(request, *args, **kwargs)


def admin_login(request):
    """
    Stand in for the login page of the admin, which has no door of its own.

    What guards the login page guards the admin as well (ASVS 6.3.4). Django's admin sends
    whoever may not enter here: strangers go on to the login page, members are told.
    """
    if request.user.is_authenticated and not admin.site.has_permission(request):
        raise PermissionDenied(STAFF_ONLY)
    # Whoever is staff already goes straight through.
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
