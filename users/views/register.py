"""Become a member."""

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from users.emails import LINK_SENT, send_link
from users.forms import RegisterForm
from users.models import Kind
from users.throttle import SIGNUP_LIMITS, ThrottleMixin

ACCOUNT_CREATED = "Your account has been created! You are now able to log in"


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class RegisterView(ThrottleMixin, FormView):
    form_class = RegisterForm
    template_name = "users/register.html"
    limits = SIGNUP_LIMITS
    kind = Kind.SIGNUP_REFUSED

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect(settings.LOGIN_REDIRECT_URL)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        user = form.save(commit=False)
        if not form.save_unless_taken(user):
            return self.form_invalid(form)
        self.succeed(Kind.REGISTERED, user)
        messages.success(self.request, ACCOUNT_CREATED)
        sent = LINK_SENT if settings.EMAIL_VERIFICATION_REQUIRED else None
        send_link(self.request, "email_confirm", user, user.email, sent=sent)
        return redirect("login")

    def is_attempt(self, form):
        # It told who has an account (ASVS 6.3.8), or hashed and lost a race.
        return form.has_error("email", "unique") or bool(form.instance.password)
