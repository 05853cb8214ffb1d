"""Become a member."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from users.forms.register import RegisterForm
from users.limits import SIGN_UPS
from users.links import LINK_SENT, send_link
from users.models import Kind
from users.throttle import attempt

from .email import TakenEmailMixin

ACCOUNT_CREATED = "Your account has been created! You are now able to log in"


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class RegisterView(TakenEmailMixin, FormView):
    form_class = RegisterForm
    template_name = "users/register.html"

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect(settings.LOGIN_REDIRECT_URL)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        email = form.cleaned_data["email"]
        with attempt(self.request, SIGN_UPS, Kind.EMAIL_TRIED, email) as event:
            user = form.save(commit=False)  # hashes, which takes its time: before any lock is held
            saved = form.save_unless_taken(user)
            if saved:
                event.kind, event.user = Kind.REGISTERED, user
        if not saved:
            return FormView.form_invalid(self, form)
        messages.success(self.request, ACCOUNT_CREATED)
        sent = LINK_SENT if settings.EMAIL_VERIFICATION_REQUIRED else None
        send_link(self.request, "email_confirm", user, user.email, sent=sent)
        return redirect("login")
