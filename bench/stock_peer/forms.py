from django import forms
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm, UsernameField

from .models import User


class RegisterForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ["username", "email"]


class LoginForm(AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Login Unsuccessful. Please check email and password",
    }

    username = UsernameField(label="Email", widget=forms.EmailInput(attrs={"autofocus": True}))
    remember = forms.BooleanField(label="Remember Me", required=False)


class AccountForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["username", "email"]
