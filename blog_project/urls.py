"""The URLs of the site: what you read, who you are, and the staff's admin."""

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView, TemplateView

from blog_project.site import security_txt
from users.views.login import LogoutView, admin_login

admin.site.site_header = admin.site.site_title = f"{settings.SITE_NAME} administration"

handler500 = "blog_project.errors.handler500"
urlpatterns = [
    path("", include("blog.urls")),
    path("", include("users.urls")),
    path("privacy/", TemplateView.as_view(template_name="privacy.html"), name="privacy"),
    # What browsers ask for unbidden. Lazy: in production its name is known once it is collected.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("blog/favicon.ico"))),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    # The admin logs in and out by the site's own pages.
    path("admin/login/", admin_login),
    path("admin/logout/", LogoutView.as_view(), name="admin_logout"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change")),
    path("admin/", admin.site.urls),
]
