"""Fills the site's database, in a process that has Django set up."""

from django.contrib.auth.hashers import make_password

from bench import content
from blog.models import Post
from users.models import User


def people(users, posts):
    """Create `users` people with one password, hashed once, and `posts` posts, unless done."""
    if User.objects.exists():
        return
    password = make_password(content.PASSWORD)
    authors = User.objects.bulk_create(
        User(username=username, email=email, password=password)
        for username, email in content.people(users)
    )
    Post.objects.bulk_create(
        Post(title=title, content=text, date_posted=posted, author=authors[number % users])
        for number, (title, text, posted) in enumerate(content.posts(posts))
    )
