"""Fills the site's database, in a process that has Django set up."""

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection

from bench import content
from blog.models import Post
from users.models import User

# For both databases, but for what makes a key that nobody can guess.
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
USERS = """
INSERT INTO users_user (password, is_superuser, first_name, last_name, is_staff, is_active,
    date_joined, username, username_folded, email, picture)
{numbers} SELECT '!', {false}, '', '', {false}, {true}, '2026-01-01', 'member' || i, 'member' || i,
    'member' || i || '@example.com', 'default.jpg' FROM n
"""
SESSIONS = """
INSERT INTO users_session (session_key, session_data, expire_date, user_id, since, last_seen,
    user_agent)
{numbers} SELECT {key}, 'x', '2036-01-01', i, '2026-01-01', '2026-01-01', '' FROM n
"""
POSTS = """
INSERT INTO blog_post (title, content, excerpt, date_posted, author_id)
{numbers} SELECT 'Post ' || i, {words}, '<p>' || {words} || '</p>', {date}, 1 + i %% {authors}
    FROM n
"""
WORDS = "'Some words about nothing much, to be read by nobody at all. '"
BY_VENDOR = {
    "sqlite": {
        "key": "lower(hex(randomblob(16)))",
        "date": "datetime('2026-01-01', '-' || i || ' minutes')",
        "false": "0",
        "true": "1",
    },
    "postgresql": {
        "key": "md5(i::text)",
        "date": "timestamptz '2026-01-01' - i * interval '1 minute'",
        "false": "false",
        "true": "true",
    },
}


def people(users, posts):
    """Create `users` people with one password, hashed once, and `posts` posts, unless done."""
    if User.objects.exists():
        return
    password = make_password(content.PASSWORD)
    authors = User.objects.bulk_create(
        User(username=username, email=email, password=password)
        for username, email in content.people(users)
    )
    written = [
        Post(title=title, content=text, date_posted=posted, author=author)
        for author, title, text, posted in content.posts(posts, authors)
    ]
    for post in written:
        post.render()
    Post.objects.bulk_create(written)


def rows(members, posts):
    """Create `members` members with a session each, and `posts` posts, ten an author, by SQL."""
    call_command("migrate", verbosity=0)
    words = {**BY_VENDOR[connection.vendor], "words": WORDS, "authors": posts // 10}
    with connection.cursor() as cursor:
        for statement, number in [(USERS, members), (SESSIONS, members), (POSTS, posts)]:
            cursor.execute(statement.format(numbers=NUMBERS, **words), [number])
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
