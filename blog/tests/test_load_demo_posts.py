from io import StringIO

from django.core.management import call_command
from django.test import TestCase

from blog.models import Post
from users.models import User


class LoadDemoPosts(TestCase):
    def load(self):
        call_command("load_demo_posts", stdout=StringIO())

    def test_two_posts_by_two_members_who_cannot_log_in(self):
        self.load()
        self.assertEqual(Post.objects.count(), 2)
        authors = User.objects.filter(posts__isnull=False)
        self.assertEqual(authors.count(), 2)
        for author in authors:
            self.assertFalse(author.has_usable_password())
            self.assertFalse(author.is_staff or author.is_superuser)

    def test_again_changes_nothing(self):
        self.load()
        Post.objects.first().delete()
        self.load()
        self.assertEqual(Post.objects.count(), 1)

    def test_nobody_becomes_the_author_of_demo_posts(self):
        for username, email in [("Dave", "alice.demo@example.com"), ("BOB.demo", "b@example.com")]:
            with self.subTest(username):
                user = User.objects.create_user(username, email, "an unusual sentence")
                self.load()
                self.assertFalse(Post.objects.exists())
                user.delete()

    def test_demo_members_are_used_again_after_their_posts_are_gone(self):
        self.load()
        Post.objects.all().delete()
        self.load()
        self.assertEqual(Post.objects.count(), 2)
        self.assertEqual(User.objects.count(), 2)
