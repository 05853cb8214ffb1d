"""Security events, as staff read them."""

from django.contrib import admin

from users.models import SecurityEvent


@admin.register(SecurityEvent)
class SecurityEventAdmin(admin.ModelAdmin):
    """To be read, not written: not even by a superuser."""

    date_hierarchy = "time"
    list_display = ["time", "kind", "user", "address", "ip", "device"]
    list_filter = ["kind", "time"]
    list_select_related = ["user"]
    search_fields = ["address", "user__username", "ip__startswith"]
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
