"""Posts, as staff write and look after them."""

from django.contrib import admin
from django.utils.html import format_html

from blog_project.admin import ListedLookupsMixin
from users.events import record
from users.models import Kind

from .models import Post


@admin.register(Post)
class PostAdmin(ListedLookupsMixin, admin.ModelAdmin):
    actions = ["take_offline", "put_online"]
    list_display = ["title", "author", "date_posted", "is_announcement", "is_online", "page"]
    list_filter = ["is_announcement", "is_online", "date_posted"]
    list_select_related = ["author"]
    date_hierarchy = "date_posted"
    search_fields = ["title", "content", "author__username"]
    show_full_result_count = False
    autocomplete_fields = ["author"]
    readonly_fields = ["is_online"]  # by the actions, which record it

    def get_changeform_initial_data(self, request):
        return {"author": request.user.pk}

    @admin.display(description="Page")
    def page(self, post):
        return format_html('<a href="{}">Open</a>', post.get_absolute_url())

    @admin.action(permissions=["change"], description="Take the selected posts offline")
    def take_offline(self, request, queryset):
        self.switch(request, queryset, False, Kind.POST_OFFLINE)

    @admin.action(permissions=["change"], description="Put the selected posts back online")
    def put_online(self, request, queryset):
        self.switch(request, queryset, True, Kind.POST_ONLINE)

    def switch(self, request, queryset, is_online, kind):
        posts = list(queryset.exclude(is_online=is_online))
        for post in posts:
            Post.objects.filter(pk=post.pk).update(is_online=is_online)
            record(None, kind, user=post.author)
            self.log_change(request, post, f"{kind.label}.")
        self.message_user(request, f"{kind.label}: {len(posts)}.")
