"""What members fill in to move to another address."""

from django import forms

from users.models import User

from .password import CurrentPasswordForm
from .unique import UniqueUserMixin

SAME_EMAIL = "That is your email address already."


class EmailChangeForm(UniqueUserMixin, CurrentPasswordForm):
    """Ask for another e-mail address."""

    email = forms.EmailField(
        label="New email", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    field_order = ["email", "password"]

    @property
    def instance(self):
        return self.user

    def clean_email(self):
        if User.objects.normalize_email(self.cleaned_data["email"]) == self.user.email:
            raise forms.ValidationError(SAME_EMAIL, code="same")
        return super().clean_email()
