"""What you read."""

import html
import re

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import Truncator, normalize_newlines

from blog.markdown import CONTROLS, RENDERER, render, validate_markdown
from blog_project.links import cached_reverse
from users.export import collect
from users.usernames import INVISIBLE

BLANK = "Please write something that can be seen."


def validate_visible(text):
    """Raise ValidationError if `text` shows nothing: blanks, and what draws nothing."""
    shown = INVISIBLE.sub("", text).replace("\u2800", "").replace(" ", "")
    if not any(map(str.isprintable, shown)):
        raise ValidationError(BLANK)


class PostQuerySet(models.QuerySet):
    def visible(self):
        """Return the posts that everybody may read."""
        # Not by author__is_active: SQLite may begin with all members, and sort all of their posts.
        author = get_user_model().objects.filter(pk=OuterRef("author"), is_active=True)
        return self.filter(Exists(author), is_online=True)


class Post(models.Model):
    title = models.CharField(max_length=100, validators=[validate_visible])
    content = models.TextField(validators=[validate_visible])
    date_posted = models.DateTimeField(default=timezone.now)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="posts"
    )
    # Posts from before there was Markdown, and imported ones, are plain text.
    is_markdown = models.BooleanField("Markdown", default=True, db_default=False)
    is_announcement = models.BooleanField("announcement", default=False, db_default=False)
    is_online = models.BooleanField("online", default=True, db_default=True)
    # The content as HTML in two parts, and what made it: pages render nothing.
    excerpt = models.TextField(default="", db_default="", editable=False)
    rest = models.TextField(default="", db_default="", editable=False)
    renderer = models.CharField(max_length=100, default="", db_default="", editable=False)

    objects = PostQuerySet.as_manager()

    RENDERED = ["excerpt", "rest", "renderer"]

    class Meta:
        # The id after the date: posts of one moment keep their order from page to page.
        ordering = ["-date_posted", "-id"]
        indexes = [
            models.Index(fields=["-date_posted", "-id"], name="post_newest_first"),
            models.Index(
                fields=["-date_posted", "-id", "author"],  # whether that is active is looked up
                condition=Q(is_online=True),
                name="post_online",
            ),
            models.Index(
                fields=["author", "-date_posted", "-id"],
                condition=Q(is_online=True),
                name="post_online_of_author",
            ),
            models.Index(
                fields=["-date_posted", "-id"],
                condition=Q(is_announcement=True),
                name="post_announcement",
            ),
        ]

    def __str__(self):
        return self.title

    def save(self, *, update_fields=None, **kwargs):
        self.render()
        if update_fields is not None:
            update_fields = {*update_fields, *self.RENDERED}
        super().save(update_fields=update_fields, **kwargs)

    def get_absolute_url(self):
        return cached_reverse("post", self.pk)

    def clean(self):
        self.title = CONTROLS.sub(" ", self.title)
        self.content = normalize_newlines(self.content)  # browsers send two characters
        if self.is_markdown:
            try:
                validate_markdown(self.content)
                self.render()
                validate_visible(self.description)  # of "[a]: b" nothing is shown
            except ValidationError as error:
                raise ValidationError({"content": error}) from None

    def render(self):
        """Fill in the HTML of the content; bulk_create and update need it called before."""
        self.excerpt, self.rest = render(self.content, self.is_markdown)
        self.renderer = RENDERER

    @property
    def description(self):
        """The first words, without markup."""
        # Of an excerpt that is one long block, without a tag that is cut: it is read on every GET.
        start = re.sub("<[^>]*$", "", self.excerpt[:2_000])
        words = html.unescape(strip_tags(start)).split()
        return Truncator(" ".join(words)).chars(160)


@receiver(collect)
def export_posts(user, **kwargs):
    return {"posts": list(user.posts.values("title", "content", "date_posted"))}
