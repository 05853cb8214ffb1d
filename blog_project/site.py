"""What the site says of itself: its name, where it is, and whom to write to."""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

SHOWN = ["SITE_NAME", "SITE_URL", "CONTACT_EMAIL", "SECOND_FACTORS_OFFERED", "WHO_POSTS"]


def site(request=None):
    """
    Context processor: the settings in SHOWN, for every page.

    And for mails, and pages that are rendered without a request.
    """
    return {name: getattr(settings, name) for name in SHOWN}


def security_txt(request):
    """Tell who finds a hole where to write (RFC 9116), if there is a CONTACT_EMAIL."""
    if not settings.CONTACT_EMAIL:
        raise Http404
    expires = timezone.now() + timedelta(days=180)
    lines = [
        f"Contact: mailto:{settings.CONTACT_EMAIL}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
        "Preferred-Languages: en",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")
