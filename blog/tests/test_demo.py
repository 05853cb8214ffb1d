from io import BytesIO, StringIO
from tempfile import TemporaryDirectory

from django.core.management import CommandError, call_command
from django.test import override_settings
from PIL import Image

from blog.models import Post
from testing.cast import CastTestCase
from users.models import User


@override_settings(DEBUG=True)
class Demo(CastTestCase):
    @classmethod
    def setUpTestData(cls):
        pass  # an empty site

    def setUp(self):
        media = self.enterContext(TemporaryDirectory())
        self.enterContext(self.settings(MEDIA_ROOT=media))

    def demo(self):
        printed = StringIO()
        call_command("demo", stdout=printed)
        return printed.getvalue()

    def test_authors_have_pictures_of_their_own_and_posts_with_markdown(self):
        self.demo()
        self.assertEqual(Post.objects.count(), 20)
        authors = User.objects.filter(posts__isnull=False).distinct()
        self.assertEqual(authors.count(), 6)
        for author in authors:
            self.assertTrue(author.about)
            answer = self.client.get(author.picture.url)
            with Image.open(BytesIO(b"".join(answer))) as picture:
                self.assertEqual((picture.format, picture.size), ("JPEG", (256, 256)))
        html = "".join(post.excerpt + post.rest for post in Post.objects.all())
        for tag in [
            "<pre",
            "<ul>",
            "<ol>",
            "<blockquote>",
            "<table",
            "<a href",
            "<strong>",
            "<em>",
        ]:
            self.assertIn(tag, html)
        self.assertEqual(self.client.get("/announcements/").text.count("<article"), 2)

    def test_one_member_and_one_of_staff_log_in_as_it_says(self):
        printed = self.demo()
        for email, is_staff in [("mira@example.com", False), ("robin@example.com", True)]:
            self.assertIn(f"{email}, password: just looking around\n", printed)
            self.log_in(email, "just looking around")
            user = User.objects.get(email=email)
            self.assertLoggedInAs(user)
            self.assertEqual((user.is_staff, user.is_superuser), (is_staff, is_staff))
            self.client.logout()
        others = User.objects.exclude(email__in=["mira@example.com", "robin@example.com"])
        self.assertFalse(any(user.has_usable_password() for user in others))

    def test_again_changes_nothing_and_says_the_same(self):
        printed = self.demo()
        Post.objects.first().delete()
        self.assertEqual(self.demo(), printed)
        self.assertEqual((User.objects.count(), Post.objects.count()), (6, 19))

    def test_is_kept_out_of_a_site_that_has_members(self):
        User.objects.create_user("Alice", "alice@example.com")
        with self.assertRaisesMessage(CommandError, "for an empty site"):
            self.demo()
        self.assertFalse(Post.objects.exists())

    @override_settings(DEBUG=False)
    def test_is_refused_in_production(self):
        with self.assertRaisesMessage(CommandError, "for the developer"):
            self.demo()
        self.assertFalse(User.objects.exists())
