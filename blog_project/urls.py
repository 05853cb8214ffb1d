"""The addresses of the site: what you read, who you are, and the staff's admin."""

from django.contrib import admin
from django.urls import include, path

from users.views.login import admin_login

admin.site.site_header = admin.site.site_title = "Django Blog administration"

urlpatterns = [
    path("", include("blog.urls")),
    path("", include("users.urls")),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
]
