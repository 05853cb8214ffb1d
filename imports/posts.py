"""Importing posts."""

from collections import Counter
from hashlib import blake2b

from django.core.exceptions import ValidationError

from blog.models import Post

from .importer import CLASHES, HERE, NEW, UNSTORABLE, Importer, wrong
from .sources import clean_date


class Posts(Importer):
    """Imports the posts of `members`, an importer of users."""

    table = "post"

    def __init__(self, source, clashes, members):
        super().__init__(source, clashes)
        self.members = members
        self.validators = {
            "title": text_validator("title"),
            "content": text_validator("content"),
            "date_posted": clean_date,
        }

    def rows(self):
        return self.source.posts()

    def check(self):
        authors = {pk for pk in self.members.pks.values() if pk is not None}
        fields = Post.objects.values_list("author", "date_posted", "title", "content")
        posts = fields.iterator() if authors else ()
        # Counted: two posts may be alike.
        self.here = Counter(fingerprint(*post) for post in posts if post[0] in authors)
        super().check()

    def judge(self, row):
        problems = wrong(row, self.validators)
        if row.user not in self.members.pks:
            what = "clashes" if row.user in self.members.clashed else "is not there"
            problems.append(("author", f"user {row.user} {what}"))
        for field, words in problems:
            self.clashes.add(self.table, row.row, row.title, f"{field}: {words}")
        if problems:
            return CLASHES
        author = self.members.pks[row.user]
        if author is None:
            return NEW
        mark = fingerprint(author, clean_date(row.date_posted), row.title, row.content)
        if not self.here[mark]:
            return NEW
        self.here[mark] -= 1
        return HERE

    def store(self, batch):
        posts = [
            Post(
                author_id=self.members.pks[row.user],
                title=row.title,
                content=row.content,
                date_posted=clean_date(row.date_posted),
                is_markdown=False,
            )
            for row in batch
        ]
        for post in posts:
            post.render()
        Post.objects.bulk_create(posts)


def text_validator(name):
    """Return a function that raises ValidationError unless the field `name` takes a text."""
    field = Post._meta.get_field(name)

    def validate(value):
        if UNSTORABLE.search(value):
            raise ValidationError("It is not UTF-8, or has a NUL.")
        field.clean(value, None)

    return validate


def fingerprint(author, date_posted, title, content):
    """Return 16 bytes that stand for a post by the user with the key `author`."""
    post = f"{author} {date_posted.isoformat()} {title}\0{content}"
    return blake2b(post.encode(), digest_size=16).digest()
