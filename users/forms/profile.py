"""What members fill in about themselves."""

from django import forms
from django.contrib.auth.forms import UsernameField
from django.db import transaction

from users.models import DEFAULT_PICTURE, User
from users.pictures import square_jpeg

from .unique import PublicUserMixin


class ProfileForm(PublicUserMixin, forms.ModelForm):
    """Change username and picture."""

    # The rest may have changed since the request began: a deactivated member stays deactivated.
    update_fields = ("username", "picture")

    picture = forms.FileField(
        required=False,
        help_text="A JPEG, PNG or WebP picture of at most 5 MB. It is cut to a square.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    default_picture = forms.BooleanField(label="Back to the default picture", required=False)

    class Meta:
        model = User
        fields = ["username"]
        field_classes = {"username": UsernameField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.old_picture = self.instance.picture.name
        if self.old_picture == DEFAULT_PICTURE:
            del self.fields["default_picture"]
        self.fields["username"].widget.attrs.update(autocomplete="nickname")

    def clean_picture(self):
        upload = self.cleaned_data["picture"]
        return square_jpeg(upload) if upload else None

    def clean(self):
        cleaned_data = super().clean()
        if cleaned_data.get("picture"):
            self.instance.picture = cleaned_data["picture"]
        elif cleaned_data.get("default_picture"):
            self.instance.picture = DEFAULT_PICTURE
        return cleaned_data

    def save_unless_taken(self, user):
        picture = user.picture
        with transaction.atomic():
            # Locked: of two uploads at once, the second removes the file of the first.
            old = User.objects.select_for_update().get(pk=user.pk).picture.name
            saved = super().save_unless_taken(user)
            if picture.name != self.old_picture:
                user.forget_picture(old if saved else picture.name)
        return saved
