"""The account flow: register, log in, log out, and a page of one's own."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from .forms import LoginForm, RegisterForm

ACCOUNT_CREATED = "Your account has been created! You are now able to log in"
LOGIN_REQUIRED = "Please log in to access this page."


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class RegisterView(FormView):
    form_class = RegisterForm
    template_name = "users/register.html"

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect(settings.LOGIN_REDIRECT_URL)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        user = form.save(commit=False)  # hashes, which takes its time: before any lock is held
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            # Somebody else, or a double click, was quicker. Their row is there now, so that
            # cleaning again finds which field it is, on every database.
            form.full_clean()
            if form.is_valid():
                raise
            return self.form_invalid(form)
        messages.success(self.request, ACCOUNT_CREATED)
        return redirect("login")


class NextElsewhereMixin:
    """Takes a `next` that leads back to this very page for none at all."""

    def get_redirect_url(self):
        url = super().get_redirect_url()
        # /login/?next=/login/ is a ValueError of Django's, a 500; ?next=%23 ("#") goes in circles.
        return url if url.startswith("/") and url != self.request.path else ""


class LoginView(NextElsewhereMixin, auth_views.LoginView):
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
        self.request.session.set_expiry(settings.SESSION_COOKIE_AGE if remember else None)
        return response


class LogoutView(NextElsewhereMixin, auth_views.LogoutView):
    """Logs out by POST; whoever opens the address sees a page with the button."""

    http_method_names = [*auth_views.LogoutView.http_method_names, "get", "head"]
    template_name = "users/logout.html"

    def get(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect(settings.LOGOUT_REDIRECT_URL)
        return super().get(request, *args, **kwargs)


@never_cache
@login_required
def account(request):
    return render(request, "users/account.html")
