"""`manage.py prune_events`: forgets old security events, and what no link brings back any more."""

from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from users.events import DAYS_KEPT
from users.models import FormerEmail, SecurityEvent
from users.second_factor import FACTORS

BATCH = 1_000  # rows: a moment's work, after which logins waiting to write get their turn


class Command(BaseCommand):
    help = "Deletes the security events that are older than a number of days, in small batches."

    def add_arguments(self, parser):
        days = f"at least 1; {DAYS_KEPT} if not given"
        parser.add_argument("--days", type=int, default=DAYS_KEPT, help=days)

    def handle(self, *, days, **options):
        if days < 1:
            raise CommandError("The throttle counts the failures of a day: --days is at least 1.")
        old = SecurityEvent.objects.filter(time__lt=timezone.now() - timedelta(days=days))
        pruned = 0
        while gone := SecurityEvent.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()[0]:
            pruned += gone
        recent = timezone.now() - timedelta(days=settings.RECOVER_LINK_DAYS)
        for model in FACTORS:
            model.objects.filter(removed__lt=recent).delete()
        # Of an account that staff have moved they say that it was confirmed once.
        FormerEmail.objects.filter(left__lt=recent, user__email_confirmed_at__isnull=False).delete()
        self.stdout.write(f"Deleted {pruned} security events older than {days} days.")
