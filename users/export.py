"""All that the site holds about a member."""

from base64 import b64encode

from .models import DEFAULT_PICTURE

PROFILE = ["username", "email", "email_confirmed_at", "date_joined", "last_login"]

EVENT = ["kind", "time", "address", "ip", "user_agent"]
MOST_EVENTS = 1_000  # the newest: whoever hammers an account shall not make its export endless


def export(user):
    """Return what the site holds about `user`, as a dict for JSON: not the password hash."""
    return {
        "profile": {name: getattr(user, name) for name in PROFILE},
        "picture": picture(user),
        "posts": list(user.posts.values("title", "content", "date_posted")),
        "events": list(user.events.values(*EVENT)[:MOST_EVENTS]),
        "sessions": list(user.sessions.values("ip", "user_agent", "since", "last_seen")),
    }


def picture(user):
    """Return the picture that `user` uploaded as a data: address, or None."""
    if user.picture.name == DEFAULT_PICTURE:
        return None
    try:
        with user.picture.open() as file:
            return f"data:image/jpeg;base64,{b64encode(file.read()).decode()}"
    except OSError:
        return None
