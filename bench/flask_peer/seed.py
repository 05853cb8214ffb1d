"""`python -m bench.flask_peer.seed`: the tables of DATABASE, and what is in them."""

from bench import content

from . import app, bcrypt
from .models import Post, User, db


def seed(users, posts):
    """Create `users` people and `posts` posts of theirs."""
    # Hashed once for all of them: thousands of hashes would take the better part of an hour.
    password = bcrypt.generate_password_hash(content.PASSWORD).decode()
    authors = [
        User(username=username, email=email, password=password)
        for username, email in content.people(users)
    ]
    db.session.add_all(authors)
    for author, title, text, posted in content.posts(posts, authors):
        date_posted = posted.replace(tzinfo=None)
        db.session.add(Post(title=title, content=text, date_posted=date_posted, author=author))
    db.session.commit()


if __name__ == "__main__":
    options = content.read_options("bench.flask_peer.seed")
    with app.app_context():
        db.create_all()
        seed(options.users, options.posts)
    print(f"Made {options.users} users and {options.posts} posts.")
