"""What people fill in: register, log in, password, email, profile, second factor, data."""

from django import forms
from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, UsernameField
from django.db import IntegrityError, transaction

from blog_project.clients import CONTROL_CHARACTERS
from users import second_factor
from users.emails import EMAIL_MAX_LENGTH, reset_tokens, send_email, validate_public_email
from users.models import (
    DEFAULT_PICTURE,
    EMAIL_TAKEN,
    USERNAME_TAKEN,
    FormerEmail,
    Passkey,
    User,
)
from users.passwords import help_in_a_sentence
from users.pictures import square_jpeg
from users.usernames import skeleton, validate_not_confusable, validate_not_reserved

LOGIN_UNSUCCESSFUL = "Login Unsuccessful. Please check email and password"
CONFIRM_FIRST = "Please confirm your email first, with the link that was sent to it."
NOT_YOURS = "That is not your current password."
CHANGED_CONCURRENTLY = "The password has been changed in another window. Please start again."
NOT_A_NEW_ONE = "That is your password already. Please choose a new one."
SAME_EMAIL = "That is your email already."
CODE_REFUSED = "That code is not right, or was used before."
APP_RESTS = (
    "So many codes were wrong that those of your app no longer work. Please use a recovery code or"
    " a passkey."
)
APP_UNREADABLE = (
    "This site can no longer read your authenticator app. Please use a recovery code or a"
    " passkey, and then add the app again."
)
NOT_THIS_APP = "That code is wrong. Type the one that the app shows now."


# What makes a member the only one, for every form that changes it


def clean_unique_username(username, user):
    """Return `username`; raise ValidationError if somebody else than `user` has it, in any case."""
    if User.objects.with_username(username).exclude(pk=user.pk).exists():
        raise forms.ValidationError(USERNAME_TAKEN, code="unique")
    return username


def clean_new_username(username, user):
    """The same, for what people choose themselves: nor one that poses as somebody else's."""
    clean_unique_username(username, user)
    validate_not_confusable(username)
    validate_not_reserved(username)
    if skeleton(username) != username:
        clean_unique_username(skeleton(username), user)
    return username


def clean_unique_email(email, user):
    """Return `email` as it is stored; raise ValidationError if somebody else than `user` has it."""
    email = User.objects.normalize_email(email)
    validate_public_email(email)  # as it would be stored: "a@x℀.org" becomes "a@xa/c.org"
    taken = User.objects.filter(email=email).exclude(pk=user.pk)
    # Or left by somebody a moment ago, who may want it back.
    left = FormerEmail.objects.recent(email=email).exclude(user=user.pk)
    if taken.exists() or left.exists():
        raise forms.ValidationError(EMAIL_TAKEN, code="unique")
    return email


class SaveUnlessTakenMixin:
    """Form mixin for people who race for one username or email: the slower one gets an error."""

    update_fields = None  # of the user: all

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


class NewPasswordMixin:
    """Form mixin for a new password: what it must be is said in a sentence (and site.js counts)."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # password1 and password2, or new_password1 and new_password2.
        first, second = [field for name, field in self.fields.items() if name[-1] in "12"]
        first.help_text, first.widget.attrs["minlength"] = help_in_a_sentence()
        second.help_text = ""


class RegisterForm(SaveUnlessTakenMixin, NewPasswordMixin, BaseUserCreationForm):
    """Sign up with a username, an email and a password typed twice."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ["username", "email"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # People log in by email. Marked "username", the other field is what a password manager
        # would keep, and fill in wrongly at the next login.
        self.fields["username"].widget.attrs.update(autocomplete="nickname", autofocus=True)
        self.fields["email"].widget.attrs.update(autocomplete="email", autofocus=False)

    def clean_username(self):
        return clean_new_username(self.cleaned_data["username"], self.instance)

    def clean_email(self):
        return clean_unique_email(self.cleaned_data["email"], self.instance)

    def validate_password_for_user(self, user):
        # Next to the rules, which Django lists under the first of the two fields.
        super().validate_password_for_user(user, "password1")


class LoginForm(AuthenticationForm):
    """Log in with email and password."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": LOGIN_UNSUCCESSFUL,
        "unconfirmed": CONFIRM_FIRST,
    }
    unconfirmed = None  # the user who has to confirm the email first

    # Django calls the field `username` whatever USERNAME_FIELD is; ours is the email.
    username = UsernameField(label="Email", widget=forms.EmailInput(attrs={"autofocus": True}))
    remember = forms.BooleanField(label="Remember Me", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Where a password is all that is missing, or wrong, the cursor is there.
        if self.is_bound or self.initial:
            self.fields["username"].widget.attrs["autofocus"] = False
            self.fields["password"].widget.attrs["autofocus"] = True

    def confirm_login_allowed(self, user):
        # Django asks this only after the password was right: nobody else learns anything.
        super().confirm_login_allowed(user)
        if settings.EMAIL_VERIFICATION_REQUIRED and not user.email_confirmed_at:
            self.unconfirmed = user
            raise forms.ValidationError(self.error_messages["unconfirmed"], code="unconfirmed")


class ChangedConcurrently(Exception):
    """Somebody saved a new password, or deleted the account, while `form` was at work."""

    def __init__(self, form):
        super().__init__(CHANGED_CONCURRENTLY)
        self.form = form


class SavePasswordMixin(NewPasswordMixin):
    """
    Form mixin that saves a new password only in the place of the one the form began with.

    And nothing but the password: two links, or a link and an email change, may be at work at
    the same time, and hashing leaves them a quarter of a second. Raises ChangedConcurrently.
    """

    unchanged = ("password",)  # since the form began
    also_saved = ()

    def before_save(self, user):
        """Change more of `user`, whose row is locked."""

    def set_password_and_save(self, user, *args, commit=True, **kwargs):
        begun_with = {name: getattr(user, name) for name in self.unchanged}
        super().set_password_and_save(user, *args, commit=False, **kwargs)
        with transaction.atomic():
            if not User.objects.select_for_update().filter(pk=user.pk, **begun_with):
                raise ChangedConcurrently(self)
            self.before_save(user)
            user.save(update_fields=["password", *self.also_saved])
        return user


class PasswordChangeForm(SavePasswordMixin, auth_forms.PasswordChangeForm):
    """Change the password, knowing the current one."""

    error_messages = {
        **auth_forms.PasswordChangeForm.error_messages,
        "password_incorrect": NOT_YOURS,
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Current password"

    def clean(self):
        cleaned_data = super().clean()
        new = cleaned_data.get("new_password1")
        if new and new == cleaned_data.get("old_password"):
            self.add_error("new_password1", NOT_A_NEW_ONE)
        return cleaned_data


class SetPasswordForm(SavePasswordMixin, auth_forms.SetPasswordForm):
    """Set a new password, with the link of a reset: whoever has it reads the mailbox."""

    # Confirming the email that the link was sent to, and no other.
    unchanged = ("password", "email")
    also_saved = ("email_confirmed_at",)

    def before_save(self, user):
        user.confirm_email()


class PasswordResetForm(auth_forms.PasswordResetForm):
    """Ask for a reset link; an email without an account gets a mail as well."""

    email = forms.EmailField(
        label="Email",
        max_length=EMAIL_MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )

    def get_users(self, email):
        users = User.objects.with_email(email).filter(is_active=True)
        return [user for user in users if user.has_usable_password()]

    def save(self, *, request, **options):
        # One look-up and one mail either way, or text, time or a missing mail would tell who
        # has an account (ASVS 6.3.8).
        self.request, self.known = request, False
        super().save(request=request, **{**options, "token_generator": reset_tokens})
        if not self.known:
            send_email(request, "password_reset_unknown", self.cleaned_data["email"])

    def send_mail(self, subject_template, email_template, context, from_email, to_email, **options):
        self.known = True
        send_email(self.request, "password_reset", to_email, **context)


class PasswordLinkForm(PasswordResetForm):
    """The same link, which staff send `user`, who need not have a usable password or be active."""

    def __init__(self, user):
        super().__init__({"email": user.email})
        self.user = user

    def get_users(self, email):
        return [self.user]


class CurrentPasswordForm(forms.Form):
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
        if not self.user.check_password(password):
            raise forms.ValidationError(NOT_YOURS, code="password_incorrect")
        return password


class EmailChangeForm(forms.Form):
    """Move `user` to another email."""

    email = forms.EmailField(
        label="New email",
        max_length=EMAIL_MAX_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, user, *args, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_email(self):
        if User.objects.normalize_email(self.cleaned_data["email"]) == self.user.email:
            raise forms.ValidationError(SAME_EMAIL, code="same")
        return clean_unique_email(self.cleaned_data["email"], self.user)


class EmailCorrectForm(EmailChangeForm):
    """Correct an email that was never confirmed, right after the right password."""

    def save(self):
        """Save the email and return True, or return False with the errors in the form."""
        never_confirmed = User.objects.filter(
            pk=self.user.pk,
            email=self.user.email,
            password=self.user.password,
            email_confirmed_at=None,
        )
        email = self.cleaned_data["email"]
        try:
            with transaction.atomic():
                # One UPDATE: an email that is confirmed meanwhile is corrected no more.
                if never_confirmed.update(email=email, pending_email=None):
                    self.user.email, self.user.pending_email = email, None
                    return True
            self.add_error(None, CHANGED_CONCURRENTLY)
        except IntegrityError:  # somebody else was quicker
            self.add_error("email", forms.ValidationError(EMAIL_TAKEN, code="unique"))
        return False


class ProfileForm(SaveUnlessTakenMixin, forms.ModelForm):
    """Change username, picture and what an author's page says about them."""

    # The rest may have changed since the request began: a deactivated member stays deactivated.
    update_fields = ("username", "picture", "about")

    picture = forms.FileField(
        required=False,
        help_text="A JPEG, PNG or WebP picture of at most 5 MB. It is cut to a square.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    default_picture = forms.BooleanField(label="Back to the default picture", required=False)

    class Meta:
        model = User
        fields = ["username", "about"]
        field_classes = {"username": UsernameField}
        widgets = {"about": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"about": "On the page of your posts, for everybody to read."}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.old_picture = self.instance.picture.name
        self.square = None
        if self.old_picture == DEFAULT_PICTURE:
            del self.fields["default_picture"]
        self.fields["username"].widget.attrs.update(autocomplete="nickname")

    def clean_username(self):
        # Staff may have given the member one that members cannot choose.
        changed = "username" in self.changed_data
        clean = clean_new_username if changed else clean_unique_username
        return clean(self.cleaned_data["username"], self.instance)

    def clean_picture(self):
        upload = self.cleaned_data["picture"]
        if upload and not self.square:
            # Once: whoever loses a race for a username cleans again, with the database locked.
            self.square = square_jpeg(upload)
        return self.square

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
                user.delete_picture_file(old if saved else picture.name)
        return saved


def code_field(label, **attrs):
    widget = forms.TextInput(
        {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", **attrs}
    )
    return forms.CharField(label=label, max_length=64, widget=widget)


class CodeForm(forms.Form):
    """Ask `user` for a code of the authenticator app or a recovery code. `used` is its model."""

    code = code_field("Code", autofocus=True)
    code.help_text = "The code that your authenticator app shows, or a recovery code."
    used = None

    def __init__(self, user, *args, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_code(self):
        try:
            self.used = second_factor.use_code(self.user, self.cleaned_data["code"])
        except second_factor.Resting:
            raise forms.ValidationError(APP_RESTS, code="untested") from None
        except second_factor.Unreadable:
            raise forms.ValidationError(APP_UNREADABLE, code="untested") from None
        except second_factor.Refused:
            raise forms.ValidationError(CODE_REFUSED, code="refused") from None
        return self.cleaned_data["code"]


class PasskeyForm(forms.ModelForm):
    """Name a passkey."""

    class Meta:
        model = Passkey
        fields = ["name"]

    def clean_name(self):
        return CONTROL_CHARACTERS.sub(" ", self.cleaned_data["name"])  # mails say it


class AppForm(forms.Form):
    """Add an authenticator app: the code that it shows. Its secret goes to and fro, encrypted."""

    secret = forms.CharField(max_length=200, widget=forms.HiddenInput)
    code = code_field("Code that the app shows", inputmode="numeric")

    def clean_secret(self):
        secret = self.cleaned_data["secret"]
        try:
            second_factor.read_secret(secret)
        except second_factor.Unreadable:
            raise forms.ValidationError(NOT_THIS_APP) from None
        return secret


class NewCodesForm(forms.Form):
    """Type one of the new recovery codes back. They go to and fro: the site keeps their digests."""

    codes = forms.CharField(max_length=400, widget=forms.HiddenInput)
    code = code_field("One of the codes", autocomplete="off")


class DeleteForm(forms.Form):
    """Delete an account."""

    sure = forms.BooleanField(
        label="Yes, delete my account and all that I posted",
        error_messages={"required": "Please tick the box if you are sure."},
    )
