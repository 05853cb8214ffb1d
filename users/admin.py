"""Users and what happened to them, as staff see them."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm, UsernameField
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect
from django.template.defaultfilters import date
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from blog_project.admin import ListedLookupsMixin
from users.emails import send_email
from users.events import notify, record
from users.forms import PasswordLinkForm, clean_unique_email, clean_unique_username
from users.models import (
    DEFAULT_PICTURE,
    AuthenticatorApp,
    Kind,
    Passkey,
    RecoveryCode,
    SecurityEvent,
    User,
)
from users.second_factor import remove_all
from users.usernames import fold_username

ONLY_SUPERUSERS = "Only superusers change staff accounts"


class UniqueUserMixin:
    """Form mixin for staff, who may give away usernames that members cannot choose."""

    def clean_username(self):
        return clean_unique_username(self.cleaned_data["username"], self.instance)

    def clean_email(self):
        return clean_unique_email(self.cleaned_data["email"], self.instance)


class UserAddForm(UniqueUserMixin, forms.ModelForm):
    """Add a member, who sets a password with a link that staff send."""

    class Meta:
        model = User
        fields = ["username", "email"]
        field_classes = {"username": UsernameField}

    def save(self, commit=True):
        self.instance.set_unusable_password()
        return super().save(commit)


class UserEditForm(UniqueUserMixin, UserChangeForm):
    pass


@admin.register(User)
class UserAdmin(ListedLookupsMixin, DjangoUserAdmin):
    """Staff look after members; only superusers change staff, and who may do what."""

    add_form = UserAddForm
    form = UserEditForm
    actions = ["end_sessions", "remove_pictures", "remove_factors", "void_links"]
    # With a million users: the newest first by an index, and no second count, of all of them.
    ordering = ["-pk"]
    show_full_result_count = False
    list_display = ["username", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "date_joined", "last_login"]
    search_fields = ["username", "email"]
    search_help_text = "An email or a username, or how one begins."
    activity = [
        "current_picture",
        "date_joined",
        "last_login",
        "email_confirmed_at",
        "factors",
        "sessions",
        "events",
    ]
    rights = ["is_staff", "is_superuser", "groups", "user_permissions"]
    fieldsets = [
        (None, {"fields": ["username", "email", "password", "about"]}),
        ("Activity", {"fields": activity}),
        ("Permissions", {"fields": ["is_active", *rights]}),
    ]
    add_form_template = None  # Django's asks for a password
    add_fieldsets = [
        (
            None,
            {
                "fields": ["username", "email"],
                "description": "Then send the member a link with which to set a password.",
            },
        ),
    ]

    def has_change_permission(self, request, obj=None):
        return self.may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self.may_touch(request, obj) and super().has_delete_permission(request, obj)

    def may_touch(self, request, user):
        # Whoever moves the email of a superuser, say, is one.
        return request.user.is_superuser or not (user and (user.is_staff or user.is_superuser))

    def get_readonly_fields(self, request, obj=None):
        return self.activity if request.user.is_superuser else [*self.activity, *self.rights]

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj and not self.has_change_permission(request, obj):
            # Whoever may only look sees no part of the hash, nor a button that would refuse.
            return [(None, {"fields": ["username", "email", "about"]}), *fieldsets[1:]]
        return fieldsets

    @admin.action(permissions=["change"], description="End all sessions of the selected users")
    def end_sessions(self, request, queryset):
        users = self.those_to_change(request, queryset)
        for user in users:
            if user.end_sessions(keep=request.session.digest):
                record(None, Kind.SESSION_ENDED, user=user)
                self.log_change(request, user, "Ended all sessions.")
        self.message_user(request, f"Ended all sessions of {len(users)} user(s).")

    @admin.action(permissions=["change"], description="Remove the pictures of the selected users")
    def remove_pictures(self, request, queryset):
        users = self.those_to_change(request, queryset.exclude(picture=DEFAULT_PICTURE))
        for user in users:
            user.remove_picture()
            self.log_change(request, user, "Removed the picture.")
        self.message_user(request, f"Removed the pictures of {len(users)} user(s).")

    @admin.action(
        permissions=["change"], description="Remove the second factors of the selected users"
    )
    def remove_factors(self, request, queryset):
        users = self.those_to_change(request, queryset)
        for user in users:
            if remove_all(request, user):
                self.log_change(request, user, "Removed the second factors.")
        self.message_user(request, f"Removed the second factors of {len(users)} user(s).")

    @admin.action(
        permissions=["change"], description="Void the links in notices to the selected users"
    )
    def void_links(self, request, queryset):
        """For somebody whose old mailbox is a thief's: its links would bring the account back."""
        users = self.those_to_change(request, queryset)
        for user in users:
            User.objects.filter(pk=user.pk).update(recovered_at=timezone.now())
            user.former_emails.update(left=user.date_joined)  # it says still that there was one
            self.log_change(request, user, "Made the links in notices void.")
        self.message_user(request, f"Made the links of {len(users)} user(s) void.")

    def those_to_change(self, request, queryset):
        """Return those users in `queryset` whom the staff may change, and name the others."""
        users = {user: self.has_change_permission(request, user) for user in queryset}
        if refused := [str(user) for user, allowed in users.items() if not allowed]:
            names = ", ".join(refused[:10])
            self.message_user(request, f"{ONLY_SUPERUSERS}: {names}.", messages.WARNING)
        return [user for user, allowed in users.items() if allowed]

    @admin.display(description="Picture")
    def current_picture(self, user):
        return format_html('<img src="{}" alt="" width="128" height="128">', user.picture_url)

    @admin.display(description="Second factors")
    def factors(self, user):
        live = [*Passkey.objects.live(user=user), *AuthenticatorApp.objects.live(user=user)]
        codes = RecoveryCode.objects.live(user=user).count()
        rows = [*((f"{factor}, since {date(factor.added)}",) for factor in live)]
        rows += [(f"Recovery codes: {codes}",)] if codes else []
        return format_html_join(mark_safe("<br>"), "{}", rows) or "-"

    @admin.display(description="Logged in on")
    def sessions(self, user):
        sessions = user.live_sessions()
        rows = ((s.device, s.ip, date(s.since), date(s.last_seen)) for s in sessions)
        return format_html_join(mark_safe("<br>"), "{} at {}, since {}, last seen {}", rows) or "-"

    @admin.display(description="Security events")
    def events(self, user):
        url = reverse("admin:users_securityevent_changelist", query={"user__id__exact": user.pk})
        return format_html('<a href="{}">What happened to this account</a>', url)

    def get_search_results(self, request, queryset, search_term):
        # On the indexes: Django would look for the words anywhere in every row.
        words = search_term.strip()
        if not words:
            return queryset, False
        exact = queryset.filter(email=User.objects.normalize_email(words))
        if exact.exists():  # SQLite has no index for beginnings
            return exact, False
        name = Q(username_folded__startswith=fold_username(words))
        return queryset.filter(name | Q(email__startswith=words.lower())), False

    def save_model(self, request, obj, form, change):
        if not change:
            super().save_model(request, obj, form, change)
            return
        old = form.initial
        moved, renamed = obj.email != old["email"], obj.username != old["username"]
        fields = {*form.changed_data} - {"groups", "user_permissions"}
        if moved:
            obj.leave_email(old["email"])
            obj.email_confirmed_at = obj.pending_email = None  # that was for another one
            fields |= {"email_confirmed_at", "pending_email"}
        # The rest may have changed since the request began: a new password stays.
        obj.save(update_fields=fields)
        if moved:
            event = record(None, Kind.EMAIL_CHANGED, user=obj)
        for email in dict.fromkeys([old["email"], obj.email]):  # ASVS 6.3.7
            if moved:
                notify(request, "email_changed", event, to=email, old=old["email"])
            if renamed:
                send_email(request, "username_changed", email, user=obj, old=old["username"])

    def user_change_password(self, request, id, form_url=""):
        """Send the member a link to set a password: staff never choose one (ASVS 6.4.6)."""
        user = self.get_object(request, unquote(id))
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if request.method == "POST":
            form = PasswordLinkForm(user)
            form.full_clean()
            record(None, Kind.RESET_REQUESTED, user=user)
            self.log_change(request, user, "Sent a link to set a password.")
            sent = f"A link to set a password is on its way to {user.email}."
            context = {"by_staff": True, "sent": sent}
            form.save(request=request, extra_email_context=context)
            return redirect("admin:users_user_change", user.pk)
        context = {"title": "Send a link to set a password", "opts": self.opts, "original": user}
        return TemplateResponse(
            request,
            "admin/users/user/password_link.html",
            {**self.admin_site.each_context(request), **context},
        )

    def delete_model(self, request, obj):
        record(None, Kind.ACCOUNT_DELETED, email=obj.email)
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        for user in queryset:
            record(None, Kind.ACCOUNT_DELETED, email=user.email)
        super().delete_queryset(request, queryset)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ListedLookupsMixin, DjangoGroupAdmin):
    """For superusers to change: whoever may change their own group may do anything."""

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser


@admin.register(SecurityEvent)
class SecurityEventAdmin(ListedLookupsMixin, admin.ModelAdmin):
    """To be read, not written: not even by a superuser."""

    date_hierarchy = "time"
    list_display = ["time", "kind", "user", "email", "ip", "device"]
    list_filter = ["kind", "time"]
    lookups = ["user__id__exact"]  # linked to on the page of a user
    list_select_related = ["user"]
    search_fields = ["email", "user__username", "ip__startswith"]
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
