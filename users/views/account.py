"""What the pages below /account/ share."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class AccountMixin(LoginRequiredMixin):
    """For members alone: nobody keeps a copy of the page, and no error report its form."""


class OwnUserMixin(AccountMixin):
    """Hands the member to the view's form, which asks for the current password."""

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "user": self.request.user}
