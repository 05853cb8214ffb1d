"""How often what may be tried: the settings give the numbers, `users.throttle` counts."""

from datetime import timedelta
from typing import NamedTuple

from users.models import Kind


class Limit(NamedTuple):
    """How many events of `kinds` may lie within `window`, counting those alike in `columns`."""

    setting: str
    window: timedelta
    kinds: list[Kind]
    columns: list[str]


BOTH = ["address", "network"]
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
FAILED = [Kind.LOGIN_FAILED]
SIGNED_UP = [Kind.REGISTERED, Kind.EMAIL_TRIED]
MAILED = [Kind.RESET_ASKED, Kind.CONFIRMATION_ASKED, Kind.PASSWORD_CHANGED]

PASSWORDS = [
    Limit("LOGIN_FAILURES_PER_ADDRESS_AND_IP_PER_15_MINUTES", QUARTER, FAILED, BOTH),
    Limit("LOGIN_FAILURES_PER_ADDRESS_PER_DAY", DAY, FAILED, ["address"]),
    Limit("LOGIN_FAILURES_PER_IP_PER_15_MINUTES", QUARTER, FAILED, ["network"]),
]
SIGN_UPS = [
    Limit("SIGNUPS_PER_IP_PER_HOUR", HOUR, SIGNED_UP, ["network"]),
    Limit("MAILS_PER_ADDRESS_PER_HOUR", HOUR, SIGNED_UP, ["address"]),
]


def mails(kind):
    """Return the limits of a mail that an event of `kind` sends."""
    return [  # each kind by itself, or strangers who ask for resets would stop the others
        Limit("MAILS_PER_ADDRESS_PER_HOUR", HOUR, [kind], ["address"]),
        Limit("MAILS_PER_IP_PER_HOUR", HOUR, MAILED, ["network"]),
    ]
