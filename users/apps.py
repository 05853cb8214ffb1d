"""What Django loads when it starts, beside models and admin."""

from importlib import import_module

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"

    def ready(self):
        for checks in ["blog_project.checks", "users.checks"]:
            import_module(checks)
