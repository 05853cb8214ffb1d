"""Become a member."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import RedirectURLMixin, redirect_to_login
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from users.emails import send_link
from users.forms import RegisterForm
from users.models import Kind
from users.throttle import SIGNUP_LIMITS, ThrottleMixin

from .login import NEW_MEMBER_KEY, IgnoreSelfRedirectMixin

ACCOUNT_CREATED = "Your account has been created! You are now able to log in"
CONFIRM_FIRST = "Your account has been created! Please confirm your email before you log in."


@method_decorator(sensitive_post_parameters("password1", "password2"), name="dispatch")
class RegisterView(ThrottleMixin, IgnoreSelfRedirectMixin, RedirectURLMixin, FormView):
    form_class = RegisterForm
    template_name = "users/register.html"
    limits = SIGNUP_LIMITS
    kind = Kind.SIGNUP_REFUSED

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect(self.get_redirect_url() or settings.LOGIN_REDIRECT_URL)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        user = form.save(commit=False)
        if not form.save_unless_taken(user):
            return self.form_invalid(form)
        self.succeed(Kind.REGISTERED, user)
        required = settings.EMAIL_VERIFICATION_REQUIRED
        messages.success(self.request, CONFIRM_FIRST if required else ACCOUNT_CREATED)
        send_link(self.request, "email_confirm", user, user.email)
        self.request.session[NEW_MEMBER_KEY] = user.email
        # On to the page that the visitor wanted at first, if there is one.
        next_page = self.get_redirect_url()
        return redirect_to_login(next_page) if next_page else redirect("login")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        email_taken = context["form"].has_error("email", "unique")
        return {**context, "email_taken": email_taken, "next": self.get_redirect_url()}

    def is_attempt(self, form):
        # It told who has an account (ASVS 6.3.8), or hashed and lost a race.
        return form.has_error("email", "unique") or bool(form.instance.password)
