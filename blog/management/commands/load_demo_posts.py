"""`manage.py load_demo_posts`: something to read on a site that is still empty."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Q

from blog.models import Post
from users.models import User

# Nobody can log in as these two: their passwords are unusable (ASVS 6.3.2).
DEMO_POSTS = [
    (
        "alice.demo",
        "What becomes of a password",
        "Nobody keeps it, not even this site. *bcrypt* turns it into a hash that cannot be turned"
        " back, and does so slowly, so that a thief who tries them all grows old.\n\n"
        "Hash one password twice and you get two hashes. Both still know it.",
    ),
    (
        "bob.demo",
        "Welcome to the blog",
        "Have a look around: register, log in, and open your account page.\n\n"
        "Members write posts like this one, with **New Post** in the bar above.",
    ),
]


class Command(BaseCommand):
    help = "Adds two posts by two demo members who cannot log in, if there are no posts yet."

    @transaction.atomic
    def handle(self, *args, **options):
        if Post.objects.exists() or self.names_are_taken():
            return
        for username, title, content in DEMO_POSTS:
            author = User.objects.filter(email=f"{username}@example.com").first()
            author = author or User.objects.create_user(username, f"{username}@example.com")
            Post.objects.create(author=author, title=title, content=content)
        self.stdout.write(f"Loaded {len(DEMO_POSTS)} demo posts.")

    def names_are_taken(self):
        """Return whether somebody who can log in has a demo member's name or address."""
        usernames = [username for username, title, content in DEMO_POSTS]
        emails = [f"{username}@example.com" for username in usernames]
        taken = User.objects.filter(Q(username_folded__in=usernames) | Q(email__in=emails))
        return taken.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()
