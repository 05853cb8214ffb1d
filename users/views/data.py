"""Take your data with you, or away."""

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import redirect
from django.views.generic import FormView, View

from users.emails import send_email
from users.events import record
from users.export import export
from users.forms.password import CurrentPasswordForm
from users.models import Kind

from .account import AccountMixin, OwnUserMixin
from .login import forget_pages

ACCOUNT_DELETED = "Your account has been deleted."


class DataView(OwnUserMixin, FormView):
    """Your data: take them, or, with the password, delete the account."""

    form_class = CurrentPasswordForm
    template_name = "users/data.html"

    def form_valid(self, form):
        user = self.request.user
        with transaction.atomic():
            _, deleted = user.delete()
            if "users.User" in deleted:  # not by another request, a moment ago
                record(self.request, Kind.ACCOUNT_DELETED, address=user.email)
                send_email(self.request, "account_deleted", user.email, user=user)
        logout(self.request)
        messages.success(self.request, ACCOUNT_DELETED)
        return forget_pages(redirect("home"))


class DataDownloadView(AccountMixin, View):
    def get(self, request):
        return JsonResponse(
            export(request.user),
            json_dumps_params={"indent": 2, "ensure_ascii": False},
            headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
        )
