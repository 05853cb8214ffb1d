"""The second step of a login, a login with a passkey alone, and the proof that it is still you."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import RedirectURLMixin, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, View

from users.events import notify, record
from users.forms import CodeForm, CurrentPasswordForm, LoginForm
from users.models import Kind, Passkey, RecoveryCode
from users.proof import NEW_CODES_KEY
from users.second_factor import Refused, request_options, use_passkey
from users.sessions import prove
from users.throttle import CODE_LIMITS, DAY, PASSKEY_USE_LIMITS, ProofMixin, attempt

from .account import DeletedConcurrentlyMixin
from .login import HALF_LOGIN_KEY, IgnoreSelfRedirectMixin, finish_login, get_half_login

START_AGAIN = "Please log in again."
PASSKEY_REFUSED = "That passkey was refused. Without a PIN, a key works only after the password."
CODES_LEFT = "You have used a recovery code, and {left} are left. Please make new ones."
REFUSED_IN_A_HALF_LOGIN = 5


def may_log_in(user):
    """Raise ValidationError unless `user` may log in: deactivated, or not confirmed."""
    LoginForm().confirm_login_allowed(user)


def record_recovery_code(request, user):
    """Write down and mail that `user` has used a recovery code; return how many are left."""
    event = record(request, Kind.RECOVERY_CODE_USED, user=user)
    left = RecoveryCode.objects.live(user=user).count()
    notify(request, "recovery_code_used", event, left=left)
    if not left:
        request.session[NEW_CODES_KEY] = True
    return left


class GoOnMixin(IgnoreSelfRedirectMixin, RedirectURLMixin):
    """View mixin for a step on the way to the `next` of the URL."""

    next_page = settings.LOGIN_REDIRECT_URL

    def get_context_data(self, **kwargs):
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def go_back(self, page):
        """Return the redirect to the URL named `page`, from which `next` is still to be reached."""
        return redirect_to_login(self.get_success_url(), page)


class CodeMixin(ProofMixin):
    """View mixin for a form that asks `get_member` for a code of the app, or a recovery code."""

    form_class = CodeForm
    limits = CODE_LIMITS
    kind = Kind.CODE_REFUSED
    proof_field = "code"

    def get_context_data(self, **kwargs):
        passkeys = Passkey.objects.live(user=self.get_member())
        return super().get_context_data(passkeys=passkeys.exists(), **kwargs)

    def is_attempt(self, form):
        return form.has_error("code", "refused")  # else nothing was tested

    def form_invalid(self, form):
        if self.is_attempt(form):
            self.tell()
        return super().form_invalid(form)

    def tell(self):
        """Mail the member, once a day, that somebody tries codes: who has the password or more."""
        today = self.get_member().events.filter(time__gt=self.event.time - DAY)
        if not today.filter(kind=Kind.CODES_TRIED).exists():
            event = record(self.request, Kind.CODES_TRIED, user=self.get_member())
            notify(self.request, "wrong_code", event)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class VerifyView(DeletedConcurrentlyMixin, CodeMixin, GoOnMixin, FormView):
    """The second step of a login: whoever comes here has given the right password."""

    template_name = "users/login_verify.html"

    def dispatch(self, request):
        self.member, self.remember = get_half_login(request)
        try:
            if self.member and self.member.has_second_factor:
                may_log_in(self.member)
                return super().dispatch(request)
        except ValidationError:
            pass
        messages.info(request, START_AGAIN)
        return self.go_back("login")

    def get_member(self):
        return self.member

    def form_valid(self, form):
        self.succeed(Kind.LOGIN)
        finish_login(self.request, self.member, self.event, self.remember)
        if form.used is not RecoveryCode:
            return redirect(self.get_success_url())
        left = record_recovery_code(self.request, self.member)
        messages.warning(self.request, CODES_LEFT.format(left=left))
        return self.go_back("codes")

    def form_invalid(self, form):
        response = super().form_invalid(form)
        if not self.is_attempt(form):
            return response
        half_login = self.request.session[HALF_LOGIN_KEY]
        *_, refused = half_login
        self.request.session[HALF_LOGIN_KEY] = [*half_login[:-1], refused + 1]
        if refused + 1 < REFUSED_IN_A_HALF_LOGIN:
            return response
        del self.request.session[HALF_LOGIN_KEY]
        messages.info(self.request, START_AGAIN)
        return self.go_back("login")


class PasskeyOptionsView(View):
    """What the browser has to ask a passkey for, as JSON: at the login, or as a proof."""

    http_method_names = ["post"]

    def post(self, request):
        user = request.user if request.user.is_authenticated else before_passkey(request)[0]
        return JsonResponse(request_options(request, user))


def before_passkey(request):
    """Return what `get_half_login` does, but nobody where a passkey is to log in alone."""
    return (None, False) if "alone" in request.POST else get_half_login(request)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class PasskeyLoginView(DeletedConcurrentlyMixin, GoOnMixin, View):
    """Log in with a passkey: alone, or after the password."""

    http_method_names = ["post"]

    def post(self, request):
        if request.user.is_authenticated:  # in another tab
            return redirect(self.get_success_url())
        member, remember = before_passkey(request)
        try:
            user = use_passkey(request, request.POST.get("credential", ""), member).user
            may_log_in(user)
        except Refused:
            messages.error(request, PASSKEY_REFUSED)
        except ValidationError as error:
            messages.error(request, error.message)
        else:
            with attempt(request, PASSKEY_USE_LIMITS, Kind.LOGIN, user.email, user) as event:
                finish_login(request, user, event, remember)
            return redirect(self.get_success_url())
        return self.go_back("login_verify" if member else "login")


# The proof that it is still you


class ConfirmMixin(DeletedConcurrentlyMixin, GoOnMixin):
    """View mixin that notes the proof in the session, under a new key (ASVS 7.2.4)."""

    next_page = "account"

    def confirm(self):
        self.request.session.cycle_key()
        prove(self.request)
        return redirect(self.get_success_url())


class ConfirmPasswordView(ConfirmMixin, ProofMixin, FormView):
    form_class = CurrentPasswordForm
    template_name = "users/confirm.html"

    def form_valid(self, form):
        self.succeed(Kind.PASSWORD_CONFIRMED)
        return self.confirm()


class ConfirmCodeView(ConfirmMixin, CodeMixin, FormView):
    template_name = "users/confirm.html"

    def form_valid(self, form):
        self.succeed(Kind.FACTOR_CONFIRMED)
        if form.used is RecoveryCode:
            record_recovery_code(self.request, self.request.user)
        return self.confirm()


@sensitive_post_parameters()
@login_required
def confirm(request):
    """Ask for the password again, or for a second factor of whoever has one."""
    view = ConfirmCodeView if request.user.has_second_factor else ConfirmPasswordView
    return view.as_view()(request)


@method_decorator([sensitive_post_parameters(), login_required], name="dispatch")
class ConfirmPasskeyView(ConfirmMixin, View):
    http_method_names = ["post"]

    def post(self, request):
        try:
            use_passkey(request, request.POST.get("credential", ""), request.user)
        except Refused:
            messages.error(request, PASSKEY_REFUSED)
            return self.go_back("confirm")
        user = request.user
        with attempt(request, PASSKEY_USE_LIMITS, Kind.FACTOR_CONFIRMED, user.email, user):
            return self.confirm()
