"""Change a password, or set a new one when it is forgotten."""

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.urls import reverse_lazy

from users.emails import send_email
from users.events import record
from users.forms.password import (
    ChangedMeanwhile,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
)
from users.limits import mails
from users.models import Kind
from users.throttle import attempt, mail_attempt

from .account import OwnUserMixin

CHANGED = "Your password has been changed. You are logged out on all other devices."


class ChangedMeanwhileMixin:
    """Shows that the password was changed meanwhile as an error of the form."""

    def form_valid(self, form):
        try:
            return super().form_valid(form)
        except ChangedMeanwhile as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)


class PasswordChangeView(OwnUserMixin, ChangedMeanwhileMixin, auth_views.PasswordChangeView):
    form_class = PasswordChangeForm
    template_name = "users/password_change.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form):
        limits, user = mails(Kind.PASSWORD_CHANGED), form.user
        # It was confirmed, and begins as that, for the case that another window was quicker.
        with attempt(self.request, limits, Kind.PASSWORD_CONFIRMED, user.email, user) as event:
            # Saving ends all sessions; this one gets a new key.
            response = super().form_valid(form)
            if form.is_valid():
                event.kind = Kind.PASSWORD_CHANGED
        if form.is_valid():
            messages.success(self.request, CHANGED)
            send_email(self.request, "password_changed", form.user.email, user=form.user)
        return response


class PasswordResetView(auth_views.PasswordResetView):
    form_class = PasswordResetForm
    template_name = "users/password_reset.html"

    def form_valid(self, form):
        with mail_attempt(self.request, Kind.RESET_ASKED, form.cleaned_data["email"]):
            return super().form_valid(form)


class PasswordResetDoneView(auth_views.PasswordResetDoneView):
    template_name = "users/password_reset_done.html"


class PasswordResetConfirmView(ChangedMeanwhileMixin, auth_views.PasswordResetConfirmView):
    form_class = SetPasswordForm
    template_name = "users/password_reset_confirm.html"

    def form_valid(self, form):
        response = super().form_valid(form)
        if form.is_valid():
            self.request.session.flush()  # it may have been the member's own, which is over
            record(self.request, Kind.RESET_USED, user=self.user)
            send_email(self.request, "password_reset_used", self.user.email, user=self.user)
        return response


class PasswordResetCompleteView(auth_views.PasswordResetCompleteView):
    template_name = "users/password_reset_complete.html"
