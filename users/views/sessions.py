"""Where you are logged in."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.views.generic import ListView, View

from users.events import record
from users.models import Kind

from .account import AccountMixin

SESSIONS_ENDED = "You are logged out there."


class SessionsView(AccountMixin, ListView):
    template_name = "users/sessions.html"

    def get_queryset(self):
        return self.request.user.live_sessions()


class SessionEndView(AccountMixin, View):
    http_method_names = ["post"]

    def post(self, request, public_id):
        for session in request.user.sessions.all():
            if constant_time_compare(session.public_id, public_id):
                session.delete()
                record(request, Kind.SESSION_ENDED, user=request.user)
                messages.success(request, SESSIONS_ENDED)
        return redirect("sessions")


class SessionsEndOthersView(AccountMixin, View):
    http_method_names = ["post"]

    def post(self, request):
        if request.user.end_sessions(keep=request.session.session_key):
            record(request, Kind.SESSION_ENDED, user=request.user)
        messages.success(request, SESSIONS_ENDED)
        return redirect("sessions")
