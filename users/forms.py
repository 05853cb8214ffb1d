"""Registering and logging in."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, UsernameField

from .models import EMAIL_TAKEN, USERNAME_TAKEN, User

LOGIN_UNSUCCESSFUL = "Login Unsuccessful. Please check email and password"


class UniqueUserMixin:
    """Form mixin that refuses a username or an e-mail which somebody else has, in any case."""

    def clean_username(self):
        username = self.cleaned_data["username"]
        if User.objects.with_username(username).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(USERNAME_TAKEN, code="unique")
        return username

    def clean_email(self):
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(EMAIL_TAKEN, code="unique")
        return email


class RegisterForm(UniqueUserMixin, BaseUserCreationForm):
    """Sign up with a username, an e-mail and a password typed twice."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ["username", "email"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # People log in by e-mail. Marked "username", the other field is what a password manager
        # would keep, and fill in wrongly at the next login.
        self.fields["username"].widget.attrs.update(autocomplete="nickname", autofocus=True)
        self.fields["email"].widget.attrs.update(autocomplete="email", autofocus=False)

    def validate_password_for_user(self, user):
        # Next to the rules, which Django lists under the first of the two fields.
        super().validate_password_for_user(user, "password1")


class LoginForm(AuthenticationForm):
    """Log in with e-mail and password."""

    error_messages = {**AuthenticationForm.error_messages, "invalid_login": LOGIN_UNSUCCESSFUL}

    # Django calls the field `username` whatever USERNAME_FIELD is; ours is the e-mail.
    username = UsernameField(label="Email", widget=forms.EmailInput(attrs={"autofocus": True}))
    remember = forms.BooleanField(label="Remember Me", required=False)
