"""`manage.py render_posts`: after an upgrade, which may render posts differently."""

from django.core.management.base import BaseCommand
from django.db import transaction

from blog.markdown import RENDERER
from blog.models import Post


class Command(BaseCommand):
    help = "Renders anew the posts that another version of the renderer has rendered."

    def add_arguments(self, parser):
        parser.add_argument("--all", action="store_true", help="whatever has rendered them")

    def handle(self, *args, **options):
        posts = Post.objects.order_by("pk")
        if not options["all"]:
            posts = posts.exclude(renderer=RENDERER)
        last, done = 0, 0
        while batch := list(posts.filter(pk__gt=last)[:100]):
            for post in batch:
                post.render()
            with transaction.atomic():  # which writes, and renders nothing
                for post in batch:
                    html = {name: getattr(post, name) for name in Post.RENDERED}
                    # Not if its author has changed the text meanwhile: that is rendered already.
                    same = Post.objects.filter(pk=post.pk, content=post.content)
                    done += same.update(**html)
            last = batch[-1].pk
        self.stdout.write(f"Rendered {done} post{'' if done == 1 else 's'}.")
