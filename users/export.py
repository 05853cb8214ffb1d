"""Everything that the site holds about a member."""

from base64 import b64encode

from django.dispatch import Signal

from users.events import visible_events
from users.models import DEFAULT_PICTURE, RecoveryCode

# Sent with the `user`. Other apps return a dict of what they hold about them.
collect = Signal()

PROFILE = [
    *["username", "email", "email_confirmed_at", "pending_email"],
    *["date_joined", "last_login", "recovered_at", "about"],
]
PASSKEY = ["name", "added", "last_used"]
EVENT = ["kind", "time", "email", "ip", "user_agent"]
MAX_EVENTS = 1_000  # the newest: whoever hammers an account shall not make its export endless


def export(user):
    """Return what the site holds about `user`, as a dict for JSON: no hash, key or code."""
    data = {
        "profile": {name: getattr(user, name) for name in PROFILE},
        "picture": picture(user),
        "events": list(visible_events(user).values(*EVENT)[:MAX_EVENTS]),
        "sessions": list(user.sessions.values("ip", "user_agent", "since", "last_seen")),
        "former_emails": list(user.former_emails.values("email", "left")),
        "passkeys": list(user.passkeys.filter(removed=None).values(*PASSKEY)),
        "authenticator_apps": list(
            user.authenticatorapps.filter(removed=None).values("added", "last_used")
        ),
        "recovery_codes": RecoveryCode.objects.live(user=user).count(),
    }
    for _, part in collect.send(export, user=user):
        data.update(part)
    return data


def picture(user):
    """Return the picture that `user` uploaded as a data: URL, or None."""
    if user.picture.name == DEFAULT_PICTURE:
        return None
    try:
        with user.picture.open() as file:
            return f"data:image/jpeg;base64,{b64encode(file.read()).decode()}"
    except OSError:
        return None
