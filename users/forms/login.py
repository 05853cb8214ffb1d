"""What members fill in to log in."""

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UsernameField

from users.limits import PASSWORDS
from users.models import Kind
from users.throttle import attempt

LOGIN_UNSUCCESSFUL = "Login Unsuccessful. Please check email and password"
CONFIRM_FIRST = "Please confirm your email address first, with the link that was sent to it."
UNCONFIRMED_KEY = "unconfirmed_user"


class LoginForm(AuthenticationForm):
    """Log in with e-mail and password."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": LOGIN_UNSUCCESSFUL,
        "unconfirmed": CONFIRM_FIRST,
    }

    # Django calls the field `username` whatever USERNAME_FIELD is; ours is the e-mail.
    username = UsernameField(label="Email", widget=forms.EmailInput(attrs={"autofocus": True}))
    remember = forms.BooleanField(label="Remember Me", required=False)

    def clean(self):
        if {"username", "password"} <= self.cleaned_data.keys():  # else nothing is hashed
            email = self.cleaned_data["username"]
            with attempt(self.request, PASSWORDS, Kind.LOGIN_FAILED, email) as self.event:
                super().clean()
                self.event.kind = Kind.LOGIN
        return self.cleaned_data

    def confirm_login_allowed(self, user):
        # Django asks this only after the password was right: nobody else learns anything.
        super().confirm_login_allowed(user)
        if settings.EMAIL_VERIFICATION_REQUIRED and not user.email_confirmed_at:
            self.unconfirmed = True
            self.event.kind = Kind.PASSWORD_CONFIRMED
            self.request.session[UNCONFIRMED_KEY] = user.pk
            raise forms.ValidationError(self.error_messages["unconfirmed"], code="unconfirmed")
