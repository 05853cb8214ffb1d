"""Users, as staff inspect them."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.template.defaultfilters import date
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from .forms.unique import UniqueUserMixin
from .models import User


class UserAddForm(UniqueUserMixin, AdminUserCreationForm):
    pass


class UserEditForm(UniqueUserMixin, UserChangeForm):
    pass


@admin.action(permissions=["change"], description="End all sessions of the selected users")
def end_sessions(modeladmin, request, queryset):
    for user in queryset:
        user.end_sessions(keep=request.session.session_key)
    modeladmin.message_user(request, f"Ended all sessions of {len(queryset)} user(s).")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = UserAddForm
    form = UserEditForm
    actions = [end_sessions]
    ordering = ["-date_joined"]
    list_display = ["username", "email", "is_active", "is_staff", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "date_joined", "last_login"]
    search_fields = ["username", "email"]
    readonly_fields = ["date_joined", "last_login", "email_confirmed_at", "sessions"]
    fieldsets = [
        (None, {"fields": ["username", "email", "password"]}),
        ("Activity", {"fields": ["date_joined", "last_login", "email_confirmed_at", "sessions"]}),
        (
            "Permissions",
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
    ]
    add_fieldsets = [
        (
            None,
            {
                "classes": ["wide"],
                "fields": ["username", "email", "usable_password", "password1", "password2"],
            },
        ),
    ]

    @admin.display(description="Logged in on")
    def sessions(self, user):
        sessions = user.live_sessions()
        rows = ((s.device, s.ip, date(s.since), date(s.last_seen)) for s in sessions)
        return format_html_join(mark_safe("<br>"), "{} at {}, since {}, last seen {}", rows) or "-"

    def save_model(self, request, obj, form, change):
        if "email" in form.changed_data:
            obj.email_confirmed_at = None  # that was another address
        super().save_model(request, obj, form, change)
