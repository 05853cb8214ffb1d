"""What goes wrong with accounts on a new host: `manage.py check --deploy --database default`."""

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.core.checks import Tags, Warning, register
from django.db import Error
from django.db.models import Q
from django.utils import timezone

from users.events import DAYS_KEPT
from users.models import SecurityEvent, Session, User, a_second_factor

OVERDUE = timedelta(days=2)  # a night may fail, and the timer makes up for it
NAMES = 10
EVENTS, VISITORS = 100, 3  # the newest events, and of how many emails they have to be


@register(Tags.security, deploy=True)
def check_second_factor(**kwargs):
    """W001: the password alone lets into the admin."""
    if settings.SECOND_FACTOR_REQUIRED == "nobody":
        yield Warning(
            "Whoever has the password of a member of staff has the admin: SECOND_FACTOR_REQUIRED"
            " is nobody.",
            hint="Set SECOND_FACTOR_REQUIRED=staff",
            id="users.W001",
        )


@register(Tags.database, deploy=True)
def check_rows(databases=None, **kwargs):
    """Return what the rows of users, sessions and events warn of."""
    try:
        return [*check_staff(), *check_daily_jobs(), *check_visitors()] if databases else []
    except Error:  # no tables, or no database: blog_project.E001 says so
        return []


def check_staff():
    """W002: staff whose second factor is still whoever's has the password."""
    staff = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), is_active=True)
    without = staff.filter(~a_second_factor()).order_by("pk")
    if names := list(without.values_list("username", flat=True)[:NAMES]):
        yield Warning(
            f"Staff without a second factor: {', '.join(names)}. Whoever has the password of one"
            " can add a factor of their own.",
            hint="Let them log in, confirm their email and add a passkey or an authenticator app"
            " under Account, Security; or take is_staff from whoever is staff no more.",
            id="users.W002",
        )


def check_daily_jobs():
    """W003 and W004: rows that a daily job should have deleted two days ago."""
    now = timezone.now()
    sessions = Session.objects.filter(expire_date__lt=now - OVERDUE)
    kept = timedelta(days=DAYS_KEPT)
    events = SecurityEvent.objects.filter(time__lt=now - kept - OVERDUE)
    for rows, id, command, what in [
        (sessions, "users.W003", "clearsessions", "Sessions that were over two days ago"),
        (events, "users.W004", "prune_events", f"Security events of {DAYS_KEPT + 2} days ago"),
    ]:
        if rows.exists():
            yield Warning(
                f"{what} are still there: the daily job {command} does not run.",
                hint=f"Run manage.py {command} every day: systemctl enable --now blog-daily.timer,"
                " and journalctl -u blog-daily for what it says. If you keep them longer on"
                f" purpose, name {id} in SILENCED_SYSTEM_CHECKS.",
                id=id,
            )


def check_visitors():
    """W005: many accounts, and all from one IP that is no visitor's: TRUSTED_PROXY_COUNT is off."""
    # Not those of a command, which have none.
    events = SecurityEvent.objects.exclude(ip=None).values_list("ip", "email")[:EVENTS]
    ips, emails = ({row[column] for row in events} for column in [0, 1])
    if len(ips) == 1 and len(emails) >= VISITORS and ipaddress.ip_address(*ips).is_private:
        yield Warning(
            f"The newest security events are of {len(emails)} emails, and all from {min(ips)}. If"
            " that is your proxy, all visitors count as one: TRUSTED_PROXY_COUNT"
            f" ({settings.TRUSTED_PROXY_COUNT}) is not how many proxies add to X-Forwarded-For.",
            hint="Count the proxies of your own that a request passes: each adds an entry, unless"
            " it replaces what it heard, as Caddy and the nginx.conf of deploy/ do.",
            id="users.W005",
        )
