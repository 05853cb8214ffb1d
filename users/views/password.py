"""Change a password, or set a new one when it is forgotten."""

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from users.emails import reset_tokens
from users.events import notify, record
from users.forms import (
    ChangedConcurrently,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
)
from users.models import Kind
from users.throttle import PASSWORD_CHANGE_LIMITS, RESET_LIMITS, ProofMixin, ThrottleMixin

from .account import DeletedConcurrentlyMixin

CHANGED = "Your password has been changed. You are logged out on all other devices."


class ChangedConcurrentlyMixin:
    """View mixin that shows ChangedConcurrently as an error of the form."""

    def post(self, request, *args, **kwargs):
        try:
            return super().post(request, *args, **kwargs)
        except ChangedConcurrently as error:
            error.form.add_error(None, str(error))
            return self.form_invalid(error.form)


@method_decorator([sensitive_post_parameters(), login_required], name="dispatch")
class PasswordChangeView(
    DeletedConcurrentlyMixin,
    ProofMixin,
    ChangedConcurrentlyMixin,
    auth_views.PasswordChangeView,
):
    form_class = PasswordChangeForm
    template_name = "users/password_change.html"
    success_url = reverse_lazy("security")
    limits = PASSWORD_CHANGE_LIMITS
    proof_field = "old_password"

    def form_valid(self, form):
        self.succeed(Kind.PASSWORD_CONFIRMED)
        response = super().form_valid(form)  # which ends all other sessions
        self.succeed(Kind.PASSWORD_CHANGED)
        messages.success(self.request, CHANGED)
        notify(self.request, "password_changed", self.event)
        return response


class PasswordResetView(ThrottleMixin, auth_views.PasswordResetView):
    form_class = PasswordResetForm
    template_name = "users/password_reset.html"
    limits = RESET_LIMITS
    kind = Kind.RESET_REQUESTED

    def is_attempt(self, form):
        return False  # no mail is sent


class PasswordResetDoneView(auth_views.PasswordResetDoneView):
    template_name = "users/password_reset_done.html"


class PasswordResetConfirmView(ChangedConcurrentlyMixin, auth_views.PasswordResetConfirmView):
    form_class = SetPasswordForm
    template_name = "users/password_reset_confirm.html"
    token_generator = reset_tokens

    def dispatch(self, request, uidb64, token):
        response = super().dispatch(request, uidb64=uidb64, token=token)
        if request.session.get(INTERNAL_RESET_SESSION_TOKEN) == token:
            # The token is in the session now: nobody shall have planted its key (ASVS 7.2.4).
            request.session.cycle_key()
        return response

    def form_valid(self, form):
        response = super().form_valid(form)
        self.request.session.flush()  # it may have been the member's own, which is over
        event = record(self.request, Kind.RESET_COMPLETED, user=self.user)
        notify(self.request, "password_reset_used", event)
        return response


class PasswordResetCompleteView(auth_views.PasswordResetCompleteView):
    template_name = "users/password_reset_complete.html"
