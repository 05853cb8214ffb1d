"""Confirm your email, or move to another one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, View

from users.emails import read_token, send_email, send_link
from users.events import notify, record, trusted_email
from users.forms import (
    ChangedConcurrently,
    CurrentPasswordForm,
    EmailChangeForm,
    EmailCorrectForm,
    clean_unique_email,
)
from users.models import EMAIL_TAKEN, Kind, User
from users.proof import proof_required
from users.throttle import (
    CONFIRMATION_LIMITS,
    SIGNUP_LIMITS,
    ProofMixin,
    ThrottleMixin,
    attempt,
)

from .account import DeletedConcurrentlyMixin
from .login import HALF_LOGIN_KEY, get_half_login, get_unconfirmed
from .password import ChangedConcurrentlyMixin

CHANGE_CANCELLED = "Your email stays {email}."
EMAIL_CONFIRMED = "Your email is confirmed."
EMAIL_CHANGED = "Your email has changed from {old} to {new}."


def confirmation_attempt(request, email, user):
    return attempt(request, CONFIRMATION_LIMITS, Kind.CONFIRMATION_REQUESTED, email, user)


@method_decorator([sensitive_post_parameters(), login_required, proof_required()], name="dispatch")
class EmailChangeView(DeletedConcurrentlyMixin, ThrottleMixin, ChangedConcurrentlyMixin, FormView):
    form_class = EmailChangeForm
    template_name = "users/email.html"
    limits = SIGNUP_LIMITS
    kind = Kind.SIGNUP_REFUSED

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form):
        user, new = self.request.user, form.cleaned_data["email"]
        self.event.delete()
        with (  # one mail to each
            confirmation_attempt(self.request, user.email, user) as event,
            confirmation_attempt(self.request, new, user),
        ):
            # Not if there is a new password meanwhile: it clears what whoever had the old one asked
            # for.
            same = User.objects.filter(pk=user.pk, password=user.password)
            if not same.update(pending_email=new):
                raise ChangedConcurrently(form)
            user.pending_email = new
            send_link(self.request, "email_change", user, new)
            notify(self.request, "email_change_asked", event, new=new)
        return redirect("email_change")

    def is_attempt(self, form):
        return form.has_error("email", "unique")  # it told who has an account (ASVS 6.3.8)


@method_decorator([login_required, proof_required("email_change")], name="dispatch")
class EmailChangeSendView(DeletedConcurrentlyMixin, View):
    """Send the link of the change again."""

    http_method_names = ["post"]

    def post(self, request):
        user = request.user
        if user.pending_email:
            with confirmation_attempt(request, user.pending_email, user):
                send_link(request, "email_change", user, user.pending_email)
        return redirect("email_change")


@method_decorator([login_required, proof_required("email_change")], name="dispatch")
class EmailChangeCancelView(DeletedConcurrentlyMixin, View):
    http_method_names = ["post"]

    def post(self, request):
        if request.user.pending_email:
            request.user.pending_email = None
            request.user.save(update_fields=["pending_email"])
            messages.success(request, CHANGE_CANCELLED.format(email=request.user.email))
        return redirect("email_change")


class EmailConfirmSendView(View):
    """Send the link again: to a member, or to whoever just knew an unconfirmed one's password."""

    http_method_names = ["post"]

    def post(self, request):
        user = request.user
        if not user.is_authenticated:
            user, _ = get_half_login(request)
        if user and not user.email_confirmed_at:
            with confirmation_attempt(request, user.email, user):
                send_link(request, "email_confirm", user, user.email)
        request.session.pop(HALF_LOGIN_KEY, None)  # one right password, one mail
        return redirect("account" if request.user.is_authenticated else "login")


@method_decorator(never_cache, name="dispatch")
class EmailCorrectView(ThrottleMixin, FormView):
    """
    Correct an email that was never confirmed, right after the right password.

    Where a login waits for the confirmation, a slip of the keyboard would cost account and name.
    It is a sign-up with another email, and has its limits.
    """

    form_class = EmailCorrectForm
    template_name = "users/email_correct.html"
    limits = SIGNUP_LIMITS
    kind = Kind.SIGNUP_REFUSED

    def dispatch(self, request):
        self.member = None if request.user.is_authenticated else get_unconfirmed(request)
        return super().dispatch(request) if self.member else redirect("login")

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.member}

    def form_valid(self, form):
        user, old = self.member, self.member.email
        if not form.save():
            return self.form_invalid(form)
        self.succeed(Kind.REGISTERED, user)
        record(self.request, Kind.EMAIL_CHANGED, user=user)
        del self.request.session[HALF_LOGIN_KEY]
        # Whoever has guessed the password shall not take the account in silence. But without the
        # new email: the old one may be a stranger's.
        send_email(self.request, "email_corrected", old, user=user)
        send_link(self.request, "email_confirm", user, user.email)
        return redirect("login")

    def is_attempt(self, form):
        return form.has_error("email", "unique")  # it told who has an account (ASVS 6.3.8)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class EmailConfirmView(ProofMixin, FormView):
    """
    The page behind a confirmation link.

    It changes nothing by GET: mail scanners follow links. And it takes more than the link, which
    somebody who registered your email, or asked to move to it, can make this site send you: if
    you confirmed it, their password would open "your" account (pre-hijacking). It takes the member:
    logged in, or with the password, which opens no session.
    """

    form_class = CurrentPasswordForm
    template_name = "users/email_confirm.html"
    kind = Kind.LOGIN_FAILED  # whoever has the link can cause it

    def dispatch(self, request, token):
        try:
            self.member, self.email, alive = read_token(token, User.objects)
            response = super().dispatch(request, token) if alive else self.used_before()
        except (BadSignature, User.DoesNotExist):
            response = self.dead(status=410)
        except (IntegrityError, ValidationError):
            # Somebody else has taken the email since.
            response = self.dead(status=409, error=EMAIL_TAKEN)
        # The URL of this page is a secret, which no Referer may carry on.
        response["Referrer-Policy"] = "strict-origin"
        return response

    def dead(self, status, **context):
        return render(self.request, self.template_name, context, status=status)

    def get_member(self):
        return self.member

    def get_context_data(self, **kwargs):
        return super().get_context_data(email=self.email, member=self.member, **kwargs)

    def post(self, request, token):
        if request.user == self.member:
            return self.confirm()
        return super().post(request, token)

    def form_valid(self, form):
        self.succeed(Kind.PASSWORD_CONFIRMED)
        return self.confirm()

    @transaction.atomic
    def confirm(self):
        # Of two clicks at once the second waits here, and finds the link used.
        token = self.kwargs["token"]
        self.member, new, alive = read_token(token, User.objects.select_for_update())
        if not alive:
            return self.used_before()
        user, old = self.member, self.member.email
        if old != new:
            clean_unique_email(new, user)  # somebody may have left it since, and want it back
            user.leave_email(old)
        user.confirm_email(keep=self.request.session.digest if self.request.user == user else None)
        if old != new:
            user.email, user.pending_email = new, None
            user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email", "email_confirmed_at", "pending_email"])
        kind = Kind.EMAIL_CONFIRMED if old == new else Kind.EMAIL_CHANGED
        event = record(self.request, kind, user=user)
        if old != new:
            # To the one of before, and to one that the account has left a moment ago.
            for email in sorted({old, trusted_email(user)} - {new, None}):
                notify(self.request, "email_changed", event, to=email, old=old)
            # Without the link that takes the account back: it was not theirs before.
            send_email(self.request, "email_changed", new, user=user, event=event, old=old)
            return self.confirmed(EMAIL_CHANGED.format(old=old, new=new))
        return self.confirmed()

    def used_before(self):
        # A second click on a link that worked, or a link that something else has killed.
        if self.member.email_confirmed_at and self.member.email == self.email:
            return self.confirmed()
        return self.dead(status=410)

    def confirmed(self, message=EMAIL_CONFIRMED):
        messages.success(self.request, message)
        return redirect("account" if self.request.user.is_authenticated else "login")
