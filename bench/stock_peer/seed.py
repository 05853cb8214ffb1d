"""`python -m bench.stock_peer.seed`: the tables of DATABASE, and what is in them."""

import os

import django
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import transaction

from bench import content


@transaction.atomic
def seed(users, posts):
    """Create `users` people and `posts` posts of theirs."""
    from .models import Post, User  # once Django is set up

    # Hashed once for all of them: thousands of hashes would take the better part of an hour.
    password = make_password(content.PASSWORD)
    authors = User.objects.bulk_create(
        User(username=username, email=email, password=password)
        for username, email in content.people(users)
    )
    Post.objects.bulk_create(
        Post(title=title, content=text, date_posted=posted, author=author)
        for author, title, text, posted in content.posts(posts, authors)
    )


if __name__ == "__main__":
    options = content.read_options("bench.stock_peer.seed")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.stock_peer.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    seed(options.users, options.posts)
    print(f"Made {options.users} users and {options.posts} posts.")
