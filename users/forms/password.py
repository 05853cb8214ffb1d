"""What members fill in about their password."""

from django import forms
from django.contrib.auth import forms as auth_forms
from django.db import transaction
from django.utils import timezone

from users.emails import send_email
from users.models import User
from users.throttle import current_password

NOT_YOURS = "That is not your current password."
MEANWHILE = "The password has been changed in another window. Please start again."


class ChangedMeanwhile(Exception):
    """Somebody saved a new password, or deleted the account, while this form was at work."""


class RequestMixin:
    """Form mixin that knows the `request`: attempts at a password are counted by where from."""

    def __init__(self, *args, request, **kwargs):
        self.request = request
        super().__init__(*args, **kwargs)


class SavePasswordMixin:
    """
    Form mixin that saves a new password only in the place of the one the form began with.

    And nothing but the password: two links, or a link and an e-mail change, may be at work at
    the same time, and hashing leaves them a quarter of a second. Raises ChangedMeanwhile.
    """

    also_saved = ()

    def set_password_and_save(self, user, *args, commit=True, **kwargs):
        old = user.password
        super().set_password_and_save(user, *args, commit=False, **kwargs)
        with transaction.atomic():
            if not User.objects.select_for_update().filter(pk=user.pk, password=old):
                raise ChangedMeanwhile(MEANWHILE)
            user.save(update_fields=["password", *self.also_saved])
        return user


class PasswordChangeForm(RequestMixin, SavePasswordMixin, auth_forms.PasswordChangeForm):
    """Change the password, knowing the current one."""

    def clean_old_password(self):
        with current_password(self.request):
            return super().clean_old_password()


class SetPasswordForm(SavePasswordMixin, auth_forms.SetPasswordForm):
    """Set a new password, with the link of a reset: whoever has it reads the mailbox."""

    also_saved = ("email_confirmed_at",)

    def save(self, commit=True):
        self.user.email_confirmed_at = self.user.email_confirmed_at or timezone.now()
        return super().save(commit)


class PasswordResetForm(auth_forms.PasswordResetForm):
    """Ask for a reset link; an address without an account gets a mail as well."""

    def get_users(self, email):
        users = User.objects.with_email(email).filter(is_active=True)
        return [user for user in users if user.has_usable_password()]

    def save(self, *, request, **options):
        # One look-up and one mail either way, or text, time or a missing mail would tell who
        # has an account (ASVS 6.3.8).
        self.request, self.known = request, False
        super().save(request=request, **options)
        if not self.known:
            send_email(request, "password_reset_unknown", self.cleaned_data["email"])

    def send_mail(self, subject_template, email_template, context, from_email, to_email, **options):
        self.known = True
        send_email(self.request, "password_reset", to_email, **context)


class CurrentPasswordForm(RequestMixin, forms.Form):
    """Ask `user` for the current password before something that cannot be undone."""

    password = forms.CharField(
        label="Current password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user, *args, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self):
        password = self.cleaned_data["password"]
        with current_password(self.request):
            if not self.user.check_password(password):
                raise forms.ValidationError(NOT_YOURS, code="password_incorrect")
        return password
