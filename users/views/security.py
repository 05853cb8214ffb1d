"""The security page of an account: its second factors, and what has happened to it."""

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView, UpdateView, View

from blog_project.clients import device_name, user_agent
from users import second_factor
from users.events import recent_activity
from users.forms import NOT_THIS_APP, AppForm, NewCodesForm, PasskeyForm
from users.models import AuthenticatorApp, Kind, Passkey, RecoveryCode
from users.proof import NEW_CODES_KEY, proof_required

from .account import DeletedConcurrentlyMixin
from .verify import GoOnMixin

PASSKEY_REFUSED = "That passkey could not be added. Please try again."
PASSKEY_ADDED = "Your passkey has been added."
PASSKEY_RENAMED = "Your passkey has a new name."
APP_ADDED = "Your authenticator app has been added."
CODES_NEXT = "That is saved. Logins ask for it as soon as you have recovery codes."
CODES_COUNT = "Your recovery codes work from now on."
NOT_ONE_OF_THEM = "That is not one of these codes."
REMOVED = "It has been removed. Under Sessions you can log out your other devices."
LAST_ONE = "Your account needs a second factor: please add another one first."

PAGE = [sensitive_post_parameters(), login_required, proof_required()]
ACTION = [sensitive_post_parameters(), login_required, proof_required("security")]


@method_decorator([sensitive_post_parameters(), login_required], name="dispatch")
class SecurityView(DeletedConcurrentlyMixin, TemplateView):
    template_name = "users/security.html"

    def get_context_data(self, **kwargs):
        user = self.request.user
        return super().get_context_data(
            passkeys=user.passkeys.filter(removed=None),
            app=user.authenticatorapps.filter(removed=None).first(),
            codes_left=RecoveryCode.objects.live(user=user).count(),
            activity=recent_activity(user),
            **kwargs,
        )


class FactorMixin(DeletedConcurrentlyMixin):
    """View mixin for what adds a second factor: the email must be confirmed."""

    def dispatch(self, request, *args, **kwargs):
        if not request.user.email_confirmed_at:
            return redirect("security")  # which says so
        return super().dispatch(request, *args, **kwargs)

    def added(self, message):
        """Lead on from a new factor: the first one waits for recovery codes."""
        if self.request.user.has_second_factor:
            messages.success(self.request, message)
            return redirect("security")
        messages.info(self.request, CODES_NEXT)
        return redirect("codes")


@method_decorator(PAGE, name="dispatch")
class PasskeyAddView(FactorMixin, FormView):
    form_class = PasskeyForm
    template_name = "users/passkey_add.html"

    def get_initial(self):
        return {"name": device_name(user_agent(self.request))[:50]}

    def form_valid(self, form):
        answer, name = self.request.POST.get("credential", ""), form.cleaned_data["name"]
        try:
            second_factor.add_passkey(self.request, answer, name)
        except second_factor.Refused:
            form.add_error(None, PASSKEY_REFUSED)
            return self.form_invalid(form)
        return self.added(PASSKEY_ADDED)


@method_decorator(ACTION, name="dispatch")
class PasskeyAddOptionsView(FactorMixin, View):
    """What the browser needs to make a passkey, as JSON."""

    http_method_names = ["post"]

    def post(self, request):
        return JsonResponse(second_factor.creation_options(request))


@method_decorator(PAGE, name="dispatch")
class PasskeyView(DeletedConcurrentlyMixin, UpdateView):
    """Rename a passkey; its page has the button that removes it, too."""

    form_class = PasskeyForm
    template_name = "users/passkey.html"
    success_url = reverse_lazy("security")

    def get_queryset(self):
        return self.request.user.passkeys.filter(removed=None)

    def form_valid(self, form):
        if form.has_changed():
            messages.success(self.request, PASSKEY_RENAMED)
        return super().form_valid(form)


class RemoveView(DeletedConcurrentlyMixin, View):
    """Remove the factor of `model` with the number in the URL, if it is the member's."""

    http_method_names = ["post"]
    model = None
    kind = None

    def post(self, request, **pk):
        factor = get_object_or_404(self.model, user=request.user, removed=None, **pk)
        try:
            second_factor.remove(request, factor, self.kind)
        except second_factor.Refused:
            messages.error(request, LAST_ONE)
        else:
            messages.success(request, REMOVED)
        return redirect("security")


@method_decorator(ACTION, name="dispatch")
class PasskeyRemoveView(RemoveView):
    model = Passkey
    kind = Kind.PASSKEY_REMOVED


@method_decorator(ACTION, name="dispatch")
class AppRemoveView(RemoveView):
    model = AuthenticatorApp
    kind = Kind.APP_REMOVED


@method_decorator(PAGE, name="dispatch")
class AppView(FactorMixin, FormView):
    """Add an authenticator app, with a QR code."""

    form_class = AppForm
    template_name = "users/app.html"

    def get(self, request):
        if AuthenticatorApp.objects.live(user=request.user).exists():
            return redirect("security")
        return super().get(request)

    def get_initial(self):
        return {"secret": second_factor.new_secret()}

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        user, secret = self.request.user, context["form"]["secret"].value()
        # White around it in the dark theme as well: cameras need the contrast.
        url = second_factor.app_url(user, secret)
        qr = segno.make_qr(url)
        return {
            **context,
            "qr": mark_safe(qr.svg_inline(scale=4, light="#fff", title="QR code for the app")),  # noqa: S308
            "url": url,
            "key": second_factor.key_as_text(secret),
        }

    def form_valid(self, form):
        secret, code = form.cleaned_data["secret"], form.cleaned_data["code"]
        try:
            second_factor.add_app(self.request, secret, code)
        except second_factor.Refused:
            form.add_error("code", NOT_THIS_APP)
            return self.form_invalid(form)
        return self.added(APP_ADDED)

    def form_invalid(self, form):
        if form.has_error("secret"):  # not one that this site has made
            messages.error(self.request, NOT_THIS_APP)
            return redirect("app")
        return super().form_invalid(form)


@method_decorator(PAGE, name="dispatch")
class CodesView(DeletedConcurrentlyMixin, GoOnMixin, FormView):
    """Make recovery codes, see them once, and type one back: from then on they work."""

    form_class = NewCodesForm
    template_name = "users/codes.html"
    next_page = "security"

    def dispatch(self, request):
        kinds = request.user.passkeys, request.user.authenticatorapps
        if any(factors.filter(removed=None).exists() for factors in kinds):
            return super().dispatch(request)
        return redirect("security")  # they would serve nothing

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        left = RecoveryCode.objects.live(user=self.request.user).count()
        return {**context, "left": left, "codes": (context["form"]["codes"].value() or "").split()}

    def post(self, request):
        if "code" in request.POST:
            return super().post(request)
        codes = second_factor.make_codes(request.user)
        form = NewCodesForm(initial={"codes": " ".join(codes)})
        return self.render_to_response(self.get_context_data(form=form))

    def form_valid(self, form):
        if not second_factor.activate(self.request, form.cleaned_data["code"]):
            form.add_error("code", NOT_ONE_OF_THEM)
            return self.form_invalid(form)
        self.request.session.pop(NEW_CODES_KEY, None)
        messages.success(self.request, CODES_COUNT)
        return redirect(self.get_success_url())
