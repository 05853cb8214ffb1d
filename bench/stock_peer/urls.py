from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import TemplateView

from . import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("home/", views.HomeView.as_view()),
    path("about/", TemplateView.as_view(template_name="about.html"), name="about"),
    path("post/<int:pk>/", views.PostView.as_view(), name="post"),
    path("user/<str:username>/", views.AuthorView.as_view(), name="author"),
    path("register/", views.RegisterView.as_view(), name="register"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", views.AccountView.as_view(), name="account"),
    path("admin/", admin.site.urls),
    # Change and reset of a password, with the pages of the admin.
    path("", include("django.contrib.auth.urls")),
]
