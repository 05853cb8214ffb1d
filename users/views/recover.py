"""Take your account back: the link "This wasn't me" in the notices of changes."""

import secrets
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View

from users import second_factor
from users.emails import send_email
from users.events import RECOVER_SALT, record
from users.forms import PasswordLinkForm
from users.models import EMAIL_TAKEN, Kind, User

RECOVERED = "Your account is yours again. A link to set a new password is on its way to {email}."


@method_decorator(never_cache, name="dispatch")
class RecoverView(View):
    """
    The page behind the link: it shows what it will do, and does it by POST.

    It puts the account back to what it was before the event of the notice, and logs everybody out.
    It logs nobody in: what follows is a reset of the password by mail, and the second factor, which
    whoever reads the mailbox has not. A factor older than the event stays.
    """

    http_method_names = ["get", "head", "post"]
    template_name = "users/recover.html"

    def dispatch(self, request, token):
        try:
            max_age = settings.RECOVER_LINK_DAYS * 24 * 60 * 60  # seconds
            pk, self.email, since = signing.loads(token, salt=RECOVER_SALT, max_age=max_age)
            self.since = datetime.fromisoformat(since)
            self.user = self.get_user(pk, User.objects)
            response = super().dispatch(request)
        except (signing.BadSignature, User.DoesNotExist):
            response = render(request, self.template_name, status=410)
        except IntegrityError:  # somebody else has the email, whom only a command can give it to
            context = {"error": EMAIL_TAKEN}
            response = render(request, self.template_name, context, status=409)
        # The URL of this page is a secret, which no Referer may carry on.
        response["Referrer-Policy"] = "strict-origin"
        return response

    def get_user(self, pk, users):
        """Return the user, out of the queryset `users`, or raise User.DoesNotExist: a dead link."""
        user = users.get(pk=pk, is_active=True)
        if user.recovered_at and user.recovered_at >= self.since:
            raise User.DoesNotExist  # this link, or another one, has been used
        return user

    def get(self, request):
        context = {
            "member": self.user,
            "email": self.email,
            "since": self.since,
            "factors": second_factor.what_restore_does(self.user, self.since),
        }
        return render(request, self.template_name, context)

    def post(self, request):
        # A password that nobody knows: without one, there would be nothing to reset.
        password = make_password(secrets.token_urlsafe(32))
        with transaction.atomic():
            user = self.get_user(self.user.pk, User.objects.select_for_update())
            left = user.email
            second_factor.restore(user, self.since)
            if user.email != self.email:
                user.email, user.email_confirmed_at = self.email, timezone.now()
            user.password, user.pending_email = password, None
            user.recovered_at = timezone.now()
            user.save()
            user.end_sessions()
            event = record(request, Kind.RECOVERED, user=user)
            if left != user.email:
                send_email(request, "recovered", left, user=user, event=event)
            form = PasswordLinkForm(user)
            form.full_clean()
            form.save(request=request)
        request.session.flush()  # it may have been the member's own, which is over
        messages.success(request, RECOVERED.format(email=user.email))
        return redirect("login")
