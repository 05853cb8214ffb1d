from django.contrib.sitemaps.views import index, sitemap
from django.urls import path
from django.views.generic import RedirectView, TemplateView

from . import feeds, views

sitemaps = {"posts": feeds.PostSitemap}

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("home/", RedirectView.as_view(pattern_name="home", query_string=True)),
    path("about/", TemplateView.as_view(template_name="blog/about.html"), name="about"),
    # Read
    path("post/<int:pk>/", views.PostView.as_view(), name="post"),
    path("user/<str:username>/", views.AuthorView.as_view(), name="author"),
    path("announcements/", views.AnnouncementsView.as_view(), name="announcements"),
    path("archive/<int:year>/<int:month>/", views.ArchiveView.as_view(), name="archive"),
    # Write
    path("post/new/", views.PostCreateView.as_view(), name="post_create"),
    path("post/<int:pk>/update/", views.PostUpdateView.as_view(), name="post_update"),
    path("post/<int:pk>/delete/", views.PostDeleteView.as_view(), name="post_delete"),
    # For programs
    path("feed/", feeds.PostFeed(), name="feed"),
    path("sitemap.xml", index, {"sitemaps": sitemaps, "sitemap_url_name": "sitemap"}),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": sitemaps}, name="sitemap"),
    path(
        "robots.txt",
        TemplateView.as_view(template_name="robots.txt", content_type="text/plain"),
    ),
]
