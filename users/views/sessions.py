"""Where you are logged in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import ListView, View

from users.events import record
from users.models import Kind
from users.proof import proof_required

from .account import DeletedConcurrentlyMixin

SESSION_ENDED = "That device is logged out."
SESSIONS_ENDED = "All other devices are logged out."


@method_decorator([sensitive_post_parameters(), login_required, proof_required()], name="dispatch")
class SessionsView(DeletedConcurrentlyMixin, ListView):
    template_name = "users/sessions.html"

    def get_queryset(self):
        return self.request.user.live_sessions()


@method_decorator([login_required, proof_required("sessions")], name="dispatch")
class SessionEndView(DeletedConcurrentlyMixin, View):
    http_method_names = ["post"]

    def post(self, request, digest):
        ended, _ = request.user.sessions.filter(pk=digest).delete()
        if ended:
            record(request, Kind.SESSION_ENDED, user=request.user)
            messages.success(request, SESSION_ENDED)
        return redirect("sessions")


@method_decorator([login_required, proof_required("sessions")], name="dispatch")
class SessionsEndOthersView(DeletedConcurrentlyMixin, View):
    http_method_names = ["post"]

    def post(self, request):
        if request.user.end_sessions(keep=request.session.digest):
            record(request, Kind.SESSION_ENDED, user=request.user)
        messages.success(request, SESSIONS_ENDED)
        return redirect("sessions")
