"""What makes a member the only one, for every form that changes it."""

from django import forms
from django.db import IntegrityError, transaction

from users.impostors import latin_twin, validate_no_look_alike, validate_not_reserved
from users.models import EMAIL_TAKEN, USERNAME_TAKEN, User
from users.validators import validate_public_email


class UniqueUserMixin:
    """Form mixin that refuses a username or an e-mail which somebody else has, in any case."""

    update_fields = None  # of the user: all

    def clean_username(self):
        username = self.cleaned_data["username"]
        if User.objects.with_username(username).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(USERNAME_TAKEN, code="unique")
        return username

    def clean_email(self):
        email = User.objects.normalize_email(self.cleaned_data["email"])
        validate_public_email(email)  # as it would be stored: "a@x℀.org" becomes "a@xa/c.org"
        if User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(EMAIL_TAKEN, code="unique")
        return email

    def save_unless_taken(self, user):
        """Save `user` and return True, or return False with the errors in the form."""
        try:
            with transaction.atomic():
                user.save(update_fields=self.update_fields)
        except IntegrityError:
            # Somebody else, or a double click, was quicker. Their row is there now, so that
            # cleaning again finds which field it is, on every database.
            self.full_clean()
            if self.is_valid():
                raise
            return False
        return True


class PublicUserMixin(UniqueUserMixin):
    """For the forms of everybody: also refuses a new username that poses as somebody else's."""

    def clean_username(self):
        username = super().clean_username()
        if "username" in self.changed_data:  # staff may have given the member this one
            validate_no_look_alike(username)
            validate_not_reserved(username)
            twin = latin_twin(username)
            if twin != username and User.objects.with_username(twin).exists():
                raise forms.ValidationError(USERNAME_TAKEN, code="unique")
        return username
