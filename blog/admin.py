"""Posts, as staff write and look after them."""

from django.contrib import admin

from blog_project.admin import ListedLookupsMixin

from .models import Post


@admin.register(Post)
class PostAdmin(ListedLookupsMixin, admin.ModelAdmin):
    list_display = ["title", "author", "date_posted"]
    date_hierarchy = "date_posted"
    search_fields = ["title", "content", "author__username"]
    autocomplete_fields = ["author"]

    def get_changeform_initial_data(self, request):
        return {"author": request.user.pk}
