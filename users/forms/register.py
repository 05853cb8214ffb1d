"""What strangers fill in to become members."""

from django.contrib.auth.forms import BaseUserCreationForm

from users.models import User

from .unique import PublicUserMixin


class RegisterForm(PublicUserMixin, BaseUserCreationForm):
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
