"""Change a password, or set a new one when it is forgotten."""

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.urls import reverse_lazy

from users.emails import send_email
from users.forms.password import PasswordResetForm

from .account import AccountMixin

CHANGED = "Your password has been changed. You are logged out on all other devices."


class PasswordChangeView(AccountMixin, auth_views.PasswordChangeView):
    template_name = "users/password_change.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form):
        response = super().form_valid(form)  # a new session key; the other sessions are dead
        user = self.request.user
        user.end_sessions(keep=self.request.session.session_key)
        messages.success(self.request, CHANGED)
        send_email(self.request, "password_changed", user.email, user=user)
        return response


class PasswordResetView(auth_views.PasswordResetView):
    form_class = PasswordResetForm
    template_name = "users/password_reset.html"


class PasswordResetDoneView(auth_views.PasswordResetDoneView):
    template_name = "users/password_reset_done.html"


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    template_name = "users/password_reset_confirm.html"

    def form_valid(self, form):
        response = super().form_valid(form)
        self.user.end_sessions()
        self.request.session.flush()  # it may have been one of them
        send_email(self.request, "password_reset_used", self.user.email, user=self.user)
        return response


class PasswordResetCompleteView(auth_views.PasswordResetCompleteView):
    template_name = "users/password_reset_complete.html"
