import json
from unittest.mock import patch

from django.core import mail

from blog.models import Post
from users.forms import DeleteForm
from users.models import Session, User
from users.tests.test_profile import ProfileTestCase, picture

DELETED = ("alice@example.com", "Your account has been deleted")


class DataDownload(ProfileTestCase):
    def download(self):
        response = self.client.get("/account/data/download/")
        self.assertEqual(response["Content-Type"], "application/json")
        self.assertIn("attachment", response["Content-Disposition"])
        self.assertIn("no-store", response["Cache-Control"])
        return response

    def test_has_all_that_the_site_holds_of_the_member_and_of_nobody_else(self):
        Post.objects.create(author=self.alice, title="Mine", content="Ünïcode")
        Post.objects.create(author=self.bob, title="Bobs", content="Not mine")
        self.update(picture())
        data = json.loads(self.download().content)
        self.assertEqual(data["profile"]["username"], "Alice")
        self.assertEqual(data["profile"]["email"], "alice@example.com")
        self.assertEqual([post["content"] for post in data["posts"]], ["Ünïcode"])
        self.assertEqual([session["ip"] for session in data["sessions"]], ["127.0.0.1"])
        self.assertEqual(set(data["posts"][0]), {"title", "content", "date_posted"})
        self.assertEqual(set(data["sessions"][0]), {"ip", "user_agent", "since", "last_seen"})
        self.assertTrue(data["picture"].startswith("data:image/jpeg;base64,/9j/"))

    def test_picture_whose_file_is_gone_is_left_out(self):
        self.update(picture())
        self.files()[0].unlink()
        self.assertIsNone(json.loads(self.download().content)["picture"])

    def test_has_no_password_hash_and_no_session_key(self):
        response = self.download()
        self.assertNotContains(response, "bcrypt")
        self.assertNotContains(response, self.client.session.session_key)

    def test_names_every_field_of_the_member_or_leaves_it_out_on_purpose(self):
        left_out = {
            "id",
            "password",
            "username_folded",
            "first_name",
            "last_name",
            "is_active",
            "is_staff",
            "is_superuser",
            "picture",
        }
        fields = {field.name for field in User._meta.concrete_fields}
        self.assertEqual(set(json.loads(self.download().content)["profile"]), fields - left_out)


class AccountDelete(ProfileTestCase):
    def delete(self):
        return self.client.post("/account/data/", {"sure": "on"}, follow=True)

    def test_page_says_what_goes(self):
        for number, words in [(0, "your 0 posts"), (1, "your post"), (2, "your 2 posts")]:
            response = self.client.get("/account/data/")
            words = f"Your profile, {words}, your picture and your sessions"
            self.assertContains(response, words)
            Post.objects.create(author=self.alice, title=f"{number}", content="C")

    def test_everything_goes_and_a_mail_says_so(self):
        Post.objects.create(author=self.alice, title="Mine", content="C")
        self.update(picture())
        elsewhere = self.log_in_elsewhere(self.alice)
        response = self.delete()
        self.assertRedirects(response, "/")
        self.assertContains(response, "Your account has been deleted.")
        self.assertLoggedOut()
        self.assertFalse(User.objects.filter(username="Alice").exists())
        self.assertFalse(Post.objects.exists())
        self.assertFalse(Session.objects.filter(user__isnull=False).exists())
        self.assertEqual(self.files(), [])
        self.assertIn("Hello Alice", mail.outbox[0].body)
        self.assertMailed(DELETED)
        self.assertRedirects(elsewhere.get("/account/"), "/login/?next=/account/")
        self.assertContains(self.log_in(), "Login Unsuccessful")

    def test_browser_is_asked_to_forget_the_pages_it_kept(self):
        response = self.client.post("/account/data/", {"sure": "on"})
        self.assertEqual(response["Clear-Site-Data"], '"cache"')

    def test_of_two_requests_at_once_one_sends_a_mail(self):
        def delete_first(form):
            User.objects.get(pk=self.alice.pk).delete()

        with patch.object(DeleteForm, "clean", delete_first):
            self.assertContains(self.delete(), "Your account has been deleted.")
        self.assertMailed()

    def test_others_keep_theirs(self):
        Post.objects.create(author=self.bob, title="Bobs", content="C")
        self.delete()
        self.assertEqual(Post.objects.count(), 1)
        self.assertTrue(User.objects.filter(username="Bob").exists())

    def test_button_alone_deletes_nothing(self):
        response = self.client.post("/account/data/")
        self.assertEqual(list(response.context["form"].errors), ["sure"])
        self.assertTrue(User.objects.filter(username="Alice").exists())
        self.assertMailed()

    def test_second_click_is_a_stranger(self):
        self.delete()
        mail.outbox.clear()
        self.assertRedirects(self.delete(), "/login/?next=/account/data/")
        self.assertMailed()
