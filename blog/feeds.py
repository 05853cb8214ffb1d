"""What programs read: the feed, and the sitemap."""

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.syndication.views import Feed
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed

from .markdown import CONTROLS
from .models import Post


class PostFeed(Feed):
    """The newest posts, whole. Links lead to SITE_URL, whatever Host asked for them."""

    feed_type = Atom1Feed

    def title(self):
        return settings.SITE_NAME

    def link(self):
        return f"{settings.SITE_URL}/"

    def feed_url(self):
        return settings.SITE_URL + reverse("feed")

    def items(self):
        newest = Post.objects.visible().values("pk")[:20]  # found on the index alone
        return Post.objects.filter(pk__in=newest).select_related("author").defer("content")

    def item_title(self, post):
        return CONTROLS.sub("", post.title)

    def item_description(self, post):
        return CONTROLS.sub("", post.excerpt + post.rest)  # "&#12;" is one in Markdown, too

    def item_link(self, post):
        return settings.SITE_URL + post.get_absolute_url()

    def item_author_name(self, post):
        return post.author.username

    def item_pubdate(self, post):
        return post.date_posted

    item_updateddate = item_pubdate


class PostSitemap(Sitemap):
    limit = 1_000  # a file: quickly made
    newest = 10_000  # a million take half a second to count, for each file

    def items(self):
        return Post.objects.visible().only("pk")[: self.newest]
