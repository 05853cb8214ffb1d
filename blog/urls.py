from django.urls import path
from django.views.generic import RedirectView, TemplateView

from . import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("home/", RedirectView.as_view(pattern_name="home", query_string=True)),
    path("about/", TemplateView.as_view(template_name="blog/about.html"), name="about"),
]
