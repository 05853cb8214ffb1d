"""Take your data with you, or away."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, View

from users.emails import send_email
from users.events import record
from users.export import export
from users.forms import DeleteForm
from users.models import Kind
from users.proof import proof_required

from .account import DeletedConcurrentlyMixin
from .login import clear_browser_cache

ACCOUNT_DELETED = "Your account has been deleted."


@method_decorator([sensitive_post_parameters(), login_required, proof_required()], name="dispatch")
class DataView(DeletedConcurrentlyMixin, FormView):
    """Your data: take them, or delete the account."""

    form_class = DeleteForm
    template_name = "users/data.html"

    def form_valid(self, form):
        user = self.request.user
        with transaction.atomic():
            _, deleted = user.delete()
            if "users.User" in deleted:  # not by another request, a moment ago
                record(self.request, Kind.ACCOUNT_DELETED, email=user.email)
                send_email(self.request, "account_deleted", user.email, user=user)
        logout(self.request)
        messages.success(self.request, ACCOUNT_DELETED)
        return clear_browser_cache(redirect("home"))


@method_decorator(
    [sensitive_post_parameters(), login_required, proof_required("data")], name="dispatch"
)
class DataDownloadView(DeletedConcurrentlyMixin, View):
    def get(self, request):
        return JsonResponse(
            export(request.user),
            json_dumps_params={"indent": 2, "ensure_ascii": False},
            headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
        )
