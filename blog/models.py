"""What you read."""

from django.conf import settings
from django.db import models
from django.dispatch import receiver
from django.utils import timezone

from users.export import collect


class Post(models.Model):
    title = models.CharField(max_length=100)
    content = models.TextField()
    date_posted = models.DateTimeField(default=timezone.now)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="posts"
    )

    class Meta:
        # The id after the date: posts of one moment keep their order from page to page.
        ordering = ["-date_posted", "-id"]
        indexes = [models.Index(fields=["-date_posted", "-id"], name="post_newest_first")]

    def __str__(self):
        return self.title


@receiver(collect)
def export_posts(user, **kwargs):
    return {"posts": list(user.posts.values("title", "content", "date_posted"))}
