from io import BytesIO
from unittest.mock import patch
from zlib import crc32

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from blog.models import Post
from users.forms import ProfileForm
from users.pictures import NO_PICTURE, TOO_LARGE
from users.tests.test_profile import ProfileTestCase, picture


def bomb():
    """Return a PNG of a few bytes that says it has 30,000 by 30,000 pixels."""
    data = bytearray(picture(size=(1, 1)))
    data[16:24] = (30_000).to_bytes(4) * 2
    data[29:33] = crc32(data[12:29]).to_bytes(4)
    return bytes(data)


class Picture(ProfileTestCase):
    def assertRefused(self, upload, words=NO_PICTURE, name="me.jpg"):
        response = self.update(upload, name)
        self.assertEqual(response.status_code, 200)
        self.assertIn(words, response.context["form"].errors["picture"])
        self.assertEqual(self.files(), [])

    def test_is_the_default_until_one_is_uploaded(self):
        self.assertContains(self.client.get("/account/"), "/static/users/default.jpg")

    def test_jpeg_png_and_webp_become_a_square_jpeg_of_another_name(self):
        for format in ["JPEG", "PNG", "WEBP"]:
            with self.subTest(format):
                self.assertRedirects(self.update(picture(format)), "/account/")
                image = self.stored()
                self.assertEqual((image.format, image.size), ("JPEG", (256, 256)))
                self.assertRegex(self.alice.picture.name, r"^pictures/[0-9a-f]{32}\.jpg$")

    def test_is_shown_on_the_account_page_and_beside_posts(self):
        Post.objects.create(author=self.alice, title="T", content="C")
        self.update(picture())
        self.alice.refresh_from_db()
        for url in ["/account/", "/"]:
            self.assertContains(self.client.get(url), self.alice.picture.url)

    def test_metadata_is_left_behind(self):
        exif = Image.Exif()
        exif[0x010E] = "where I live"
        self.update(picture("JPEG", exif=exif, comment=b"where I live"))
        self.assertEqual(len(self.stored().getexif()), 0)
        self.assertNotIn(b"where I live", self.files()[0].read_bytes())

    def test_is_turned_upright(self):
        image = Image.new("RGB", (200, 100), "red")
        image.paste("blue", (0, 0, 100, 100))  # red on the right: on top when turned
        exif = Image.Exif()
        exif[0x0112] = 8  # turn left
        file = BytesIO()
        image.save(file, "JPEG", exif=exif)
        self.update(file.getvalue())
        red, _, blue = self.stored().getpixel((20, 20))
        self.assertGreater(red, blue)
        red, _, blue = self.stored().getpixel((236, 236))
        self.assertGreater(blue, red)

    def test_is_cut_not_squeezed(self):
        image = Image.new("RGB", (400, 100), "red")
        image.paste("blue", (150, 0, 250, 100))
        file = BytesIO()
        image.save(file, "PNG")
        self.update(file.getvalue())
        for x in [20, 128, 236]:
            red, _, blue = self.stored().getpixel((x, 128))
            self.assertGreater(blue, red)

    def test_what_is_transparent_becomes_white(self):
        self.update(picture(mode="RGBA", color=(255, 0, 0, 0)))
        self.assertEqual(self.stored().getpixel((128, 128)), (255, 255, 255))

    def test_every_mode_of_pixels_is_taken(self):
        for mode in ["1", "L", "LA", "P", "I;16"]:
            with self.subTest(mode):
                self.assertRedirects(self.update(picture(mode=mode, color=1)), "/account/")
        self.assertRedirects(self.update(picture("JPEG", mode="CMYK")), "/account/")

    def test_everything_else_is_a_form_error(self):
        for reason, upload in {
            "text": b"hello",
            "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            "HTML": b"<!doctype html><script>alert(1)</script>",
            "GIF": picture("GIF"),
            "TIFF": picture("TIFF"),
            "truncated JPEG": picture("JPEG")[:-200],
            "truncated PNG": picture("PNG")[:60],
            "header alone": picture("PNG")[:33],
        }.items():
            with self.subTest(reason):
                self.assertRefused(upload)

    def test_too_many_bytes_or_pixels_is_a_form_error(self):
        self.assertRefused(bomb(), TOO_LARGE)
        self.assertRefused(picture(size=(4_000, 4_001), mode="1", color=0), TOO_LARGE)
        self.assertRedirects(
            self.update(picture("JPEG", size=(8_000, 6_000), mode="L", color=1)), "/account/"
        )
        self.update(default_picture="on")
        self.assertRefused(picture("JPEG") + b"\0" * 5 * 1024 * 1024, TOO_LARGE)

    def test_nothing_but_the_picture_is_kept_of_a_file_that_is_also_a_page(self):
        self.update(picture("JPEG") + b"<script>alert(1)</script>", "me.html")
        self.assertNotIn(b"script", self.files()[0].read_bytes())

    def test_old_file_is_removed(self):
        self.update(picture())
        first = self.files()
        self.update(picture(color="blue"))
        self.assertEqual(len(self.files()), 1)
        self.assertNotEqual(self.files(), first)

    def test_of_two_uploads_at_once_one_file_is_left(self):
        def upload_first(form):
            with patch.object(ProfileForm, "clean", clean):
                self.log_in_elsewhere(self.alice).post(
                    "/account/",
                    {"username": "Alice", "picture": SimpleUploadedFile("a.png", picture())},
                )
            return clean(form)

        clean = ProfileForm.clean
        with patch.object(ProfileForm, "clean", upload_first):
            self.update(picture(color="blue"))
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(self.stored().size, (256, 256))

    def test_full_disk_is_a_form_error(self):
        with (
            patch("django.core.files.storage.FileSystemStorage.save", side_effect=OSError(28)),
            self.assertLogs("users.views.account", "ERROR"),
        ):
            self.assertContains(self.update(picture()), "The picture could not be stored.")
        self.assertContains(self.client.get("/account/"), "/static/users/default.jpg")

    def test_default_comes_back_when_asked_for(self):
        self.assertNotContains(self.client.get("/account/"), "Back to the default picture")
        self.update(picture())
        self.assertContains(self.client.get("/account/"), "Back to the default picture")
        self.update(default_picture="on")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.picture.name, "default.jpg")
        self.assertEqual(self.files(), [])

    def test_file_stays_until_the_change_is_committed(self):
        self.update(picture())
        self.alice.refresh_from_db()
        with patch("django.db.transaction.on_commit") as on_commit:
            self.alice.delete()
        self.assertEqual(len(self.files()), 1)
        self.assertTrue(on_commit.call_args.kwargs["robust"])

    def test_default_picture_is_nobodys_to_remove(self):
        (self.media / "default.jpg").write_bytes(b"")
        self.update(picture())
        self.bob.delete()
        self.assertTrue((self.media / "default.jpg").exists())

    def test_file_goes_with_the_account(self):
        self.update(picture())
        self.alice.refresh_from_db()
        self.alice.delete()
        self.assertEqual(self.files(), [])


class PictureGet(ProfileTestCase):
    def test_is_served_as_nothing_but_a_picture(self):
        self.update(picture())
        self.alice.refresh_from_db()
        response = self.client.get(self.alice.picture.url)
        self.assertEqual(response["Content-Type"], "image/jpeg")
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertEqual(response["Content-Security-Policy"], "default-src 'none'; sandbox")
        self.assertEqual(b"".join(response), self.files()[0].read_bytes())

    def test_is_the_same_for_everybody(self):
        self.update(picture())
        self.alice.refresh_from_db()
        self.assertNotIn("Vary", self.client.get(self.alice.picture.url))

    def test_nothing_else_is_served(self):
        (self.media / "secret.txt").write_text("secret")
        name = "0" * 32
        for path in ["secret.txt", f"pictures/{name}.jpg", f"pictures/{name}.html", "pictures/"]:
            self.assertEqual(self.client.get(f"/media/{path}").status_code, 404)
        for path in [
            "pictures/../secret.txt",
            "pictures/%2e%2e/secret.txt",
            "pictures//secret.txt",
        ]:
            self.assertEqual(self.client.get(f"/media/{path}").status_code, 404)
