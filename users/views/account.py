"""What the pages of an account share."""

from django.contrib.auth import logout
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, OperationalError
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from users.models import User


class DeletedMeanwhileMixin:
    """Takes a member whose account is deleted during the request for a stranger."""

    def dispatch(self, request, *args, **kwargs):
        try:
            return super().dispatch(request, *args, **kwargs)
        except OperationalError:  # of a database that is away: asked again, it fails again
            raise
        except (DatabaseError, ObjectDoesNotExist):
            user = request.user
            if user.is_anonymous or User.objects.filter(pk=user.pk).exists():
                raise
            logout(request)
            return redirect("login")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class AccountMixin(DeletedMeanwhileMixin, LoginRequiredMixin):
    """For members alone, with a form that no error report shows."""


class OwnUserMixin(AccountMixin):
    """Hands member and request to the view's form, which asks for the current password."""

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.request.user, "request": self.request}
