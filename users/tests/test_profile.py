from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from testing.cast import PASSWORD, MailTestCase
from users.forms import ProfileForm
from users.models import USERNAME_TAKEN, Kind, User
from users.pictures import square_jpeg


def picture(format="PNG", size=(300, 200), mode="RGB", color="red", **options):
    """Return the bytes of a picture of one colour."""
    file = BytesIO()
    Image.new(mode, size, color).save(file, format, **options)
    return file.getvalue()


class ProfileTestCase(MailTestCase):
    def setUp(self):
        super().setUp()
        self.media = Path(self.enterContext(TemporaryDirectory()))
        self.enterContext(self.settings(MEDIA_ROOT=self.media))
        self.client.force_login(self.alice)

    def update(self, upload=None, name="me.png", username="Alice", **data):
        if upload is not None:
            data["picture"] = SimpleUploadedFile(name, upload)
        return self.client.post("/account/", {"username": username, **data})

    def files(self):
        return [path for path in self.media.rglob("*") if path.is_file()]

    def stored(self):
        """Return Alice's picture as it is stored."""
        self.alice.refresh_from_db()
        with self.alice.picture.open() as file:
            image = Image.open(BytesIO(file.read()))
        image.load()
        return image


class Username(ProfileTestCase):
    def test_is_changed(self):
        self.assertRedirects(self.update(username="Alicia"), "/account/")
        self.assertContains(self.client.get("/account/"), "<h1>Alicia</h1>", html=True)
        self.assertTrue(User.objects.with_username("alicia").exists())

    def test_nothing_changed_says_nothing(self):
        response = self.client.post("/account/", {"username": "Alice"}, follow=True)
        self.assertNotContains(response, "has been updated")

    def test_change_of_case_alone_is_no_clash(self):
        self.assertRedirects(self.update(username="ALICE"), "/account/")

    def test_mail_tells_of_a_change_and_of_nothing_else(self):
        self.update(username="Bob")
        self.update(username="a b")
        self.update(picture())
        self.update(username="Alice")
        self.assertMailed()
        self.assertFalse(self.alice.events.exclude(kind=Kind.PICTURE_UPLOADED).exists())
        self.alice.events.all().delete()
        self.update(username="Alicia")
        self.assertIn("is now Alicia. It was Alice.", mail.outbox[0].body)
        self.assertMailed(("alice@example.com", "Your username has changed"))
        self.assertEqual(self.alice.events.get().kind, Kind.USERNAME_CHANGED)

    def test_changes_fill_no_mailbox(self):
        for number in range(5):
            self.assertRedirects(self.update(username=f"Alice{number}"), "/account/")
        self.assertEqual(self.update(username="Alice5").status_code, 429)
        self.alice.refresh_from_db()
        self.assertEqual((self.alice.username, len(mail.outbox)), ("Alice4", 5))
        self.assertRedirects(self.update(picture(), username="Alice4"), "/account/")

    def test_taken_or_bad_name_is_a_form_error_and_not_yet_the_heading(self):
        for username, words in [("BOB", USERNAME_TAKEN), ("a b", "Please use only letters")]:
            with self.subTest(username):
                response = self.update(username=username)
                self.assertContains(response, words)
                self.assertContains(response, "<h1>Alice</h1>", html=True)
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.username, "Alice")

    def test_name_lost_to_somebody_quicker_is_a_form_error_with_the_picture_untouched(self):
        clean = ProfileForm.clean

        def clean_first(form):
            User.objects.get_or_create(username="Dave", email="dave@example.com")
            return clean(form)

        with (
            patch.object(ProfileForm, "clean", clean_first),
            patch("users.forms.square_jpeg", wraps=square_jpeg) as decoded,
        ):
            response = self.update(picture(), username="Dave")
        self.assertEqual(decoded.call_count, 1)  # not again with the database locked
        self.assertEqual(response.context["form"].errors, {"username": [USERNAME_TAKEN]})
        self.alice.refresh_from_db()
        self.assertEqual((self.alice.username, self.alice.picture.name), ("Alice", "default.jpg"))
        self.assertEqual(self.files(), [])

    def test_what_changes_meanwhile_is_not_changed_back(self):
        clean = ProfileForm.clean

        def clean_slowly(form):
            User.objects.filter(pk=self.alice.pk).update(is_active=False, password="!")
            return clean(form)

        with patch.object(ProfileForm, "clean", clean_slowly):
            self.update(username="Alicia")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.username, "Alicia")
        self.assertEqual((self.alice.is_active, self.alice.password), (False, "!"))

    def test_account_that_is_deleted_meanwhile_stays_deleted(self):
        clean = ProfileForm.clean

        def delete_first(form):
            User.objects.get(pk=self.alice.pk).delete()
            return clean(form)

        with patch.object(ProfileForm, "clean", delete_first):
            response = self.update(username="Alicia")
        self.assertRedirects(response, "/login/")
        self.assertFalse(User.objects.filter(pk=self.alice.pk).exists())

    def test_nothing_else_can_be_changed(self):
        self.update(is_staff="on", email="x@example.com", password="x")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.email, "alice@example.com")
        self.assertTrue(self.alice.check_password(PASSWORD))
        self.assertFalse(self.alice.is_staff)
