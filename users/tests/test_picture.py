import subprocess
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import skipUnless
from unittest.mock import patch
from zlib import crc32

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase, tag
from PIL import Image, ImageOps

from blog.models import Post
from blog_project.work_pool import WorkPool
from testing.cast import PASSWORD
from users import decode_picture, hashers, pictures
from users.forms import ProfileForm
from users.models import Kind, SecurityEvent
from users.pictures import NO_PICTURE, TOO_LARGE
from users.tests.test_profile import ProfileTestCase, picture
from users.tests.test_throttle import ThrottleTestCase

on_linux = skipUnless(sys.platform == "linux", "processes have limits of their own on Linux alone")


def bomb():
    """Return a PNG of a few bytes that says it has 30,000 by 30,000 pixels."""
    data = bytearray(picture(size=(1, 1)))
    data[16:24] = (30_000).to_bytes(4) * 2
    data[29:33] = crc32(data[12:29]).to_bytes(4)
    return bytes(data)


def with_scans(number):
    """Return a progressive JPEG of `number` more scans than it needs, all of them empty."""
    data = picture("JPEG", progressive=True)
    scan = b"\xff\xda\0\x08\1\1\0\1\x3f\0"
    return data[:-2] + scan * number + data[-2:]


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
                for size in [(300, 200), (1_100, 1_200)]:  # that is shrunk before it is converted
                    upload = picture(mode=mode, color=1, size=size)
                    self.assertRedirects(self.update(upload), "/account/")
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
            self.assertContains(self.update(picture()), "The picture could not be saved.")
        self.assertContains(self.client.get("/account/"), "/static/users/default.jpg")

    def test_default_comes_back_when_asked_for(self):
        self.assertNotContains(self.client.get("/account/"), "Use the default picture")
        self.update(picture())
        self.assertContains(self.client.get("/account/"), "Use the default picture")
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


class Orientation(SimpleTestCase):
    def test_all_eight_are_turned_as_pillow_itself_does(self):
        image = Image.new("RGB", (256, 256), "red")
        image.paste("blue", (0, 0, 128, 256))
        image.paste("green", (0, 0, 64, 64))
        for format in ["JPEG", "PNG", "WEBP"]:
            for orientation in range(10):  # 0 and 9 mean nothing
                exif = Image.Exif()
                exif[0x0112] = orientation
                file = BytesIO()
                image.save(file, format, exif=exif)
                square = Image.open(BytesIO(decode_picture.square_jpeg(file.getvalue())))
                expected = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
                with self.subTest(format, orientation=orientation):
                    for corner in [(20, 20), (236, 20), (20, 236), (236, 236)]:
                        for got, want in zip(
                            square.getpixel(corner), expected.getpixel(corner), strict=True
                        ):
                            self.assertAlmostEqual(got, want, delta=10)


class Scans(ProfileTestCase):
    def test_more_than_any_editor_writes_are_a_form_error(self):
        response = self.update(with_scans(2_000), "me.jpg")
        self.assertIn(NO_PICTURE, response.context["form"].errors["picture"])
        self.assertEqual(self.files(), [])

    def test_are_counted_before_anything_is_decoded(self):
        with patch.object(Image, "open") as open_image, self.assertRaises(ValueError):
            decode_picture.square_jpeg(with_scans(100))
        open_image.assert_not_called()

    def test_as_many_as_editors_write_are_welcome(self):
        self.assertEqual(decode_picture.count_scans(picture("JPEG")), 1)
        self.assertEqual(decode_picture.count_scans(picture("JPEG", progressive=True)), 10)
        self.assertRedirects(self.update(with_scans(20)), "/account/")

    def test_of_a_thumbnail_or_a_second_picture_do_not_count(self):
        thumbnail = picture("JPEG", comment=b"\xff\xda" * 100)
        self.assertEqual(decode_picture.count_scans(thumbnail + with_scans(100)), 1)

    def test_do_not_hide_behind_what_the_decoder_skips(self):
        data = with_scans(100)
        head, scan, rest = data.partition(b"\xff\xda")
        for marker in [
            b"\xff\1",
            b"\xff\x02",
            b"\xff\xbf",
            b"\xff\xd0",
            b"\xff\0",
            b"\xff\xff\xff",
        ]:
            hidden = head + marker + b"\xff\xff" + scan + rest
            self.assertGreater(decode_picture.count_scans(hidden), decode_picture.MAX_SCANS)


class Limits(SimpleTestCase):
    """What one picture may take, whatever it is."""

    def assertTooLarge(self, data):
        with self.assertRaisesMessage(ValidationError, TOO_LARGE):
            pictures.square_jpeg(ContentFile(data))

    def instead(self, code):
        """Let `code` run in the place of what decodes, under the same limits."""
        folder = self.enterContext(TemporaryDirectory())
        script = Path(folder, "script.py")
        path = f"import sys\nsys.path.append({str(settings.BASE_DIR)!r})\n"
        limit = "from users import decode_picture\ndecode_picture.limit()\n"
        script.write_text(f"{path}{limit}{code}\n")
        self.enterContext(patch.object(decode_picture, "__file__", str(script)))

    @on_linux
    def test_beyond_the_memory_it_is_a_form_error(self):
        size = (7_000, 7_000)  # of four colours, all of which libjpeg keeps as it reads on
        self.assertTooLarge(picture("JPEG", size, "CMYK", (1, 2, 3, 4), progressive=True))

    def test_a_phones_48_million_pixels_in_all_scans_fit(self):
        upload = picture("JPEG", (8_000, 6_000), progressive=True)
        self.assertTrue(pictures.square_jpeg(ContentFile(upload)))

    def test_the_largest_of_the_other_formats_fit(self):
        for format in ["PNG", "WEBP"]:
            upload = picture(format, (4_000, 4_000), "RGBA", (1, 2, 3, 4))
            with self.subTest(format):
                self.assertTrue(pictures.square_jpeg(ContentFile(upload)))
        self.assertTooLarge(picture("WEBP", (4_000, 4_001)))

    @on_linux
    def test_memory_is_not_to_be_had(self):
        self.instead("try: bytearray(400_000_000)\nexcept MemoryError: raise SystemExit(4)")
        self.assertTooLarge(b"")

    @on_linux
    @tag("slow")
    def test_beyond_the_time_it_is_ended(self):
        self.instead("while True: pass")
        self.assertTooLarge(b"")

    def test_is_shrunk_before_it_is_converted(self):
        sizes, convert = [], Image.Image.convert

        def converted(image, *args, **options):
            sizes.append(max(image.size))
            return convert(image, *args, **options)

        with patch.object(Image.Image, "convert", converted):
            for mode in ["P", "RGBA"]:
                decode_picture.square_jpeg(picture("PNG", (2_000, 3_000), mode, 1))
        self.assertEqual(max(sizes), 1_024)

    def test_limits_leave_room_for_a_picture_and_a_site(self):
        self.assertLess(decode_picture.CPU_SECONDS, 3)
        self.assertLess(decode_picture.MEMORY, 400 * 1024 * 1024)

    def test_broken_installation_is_nobodys_bad_picture(self):
        self.instead("raise SystemExit(1)")
        with self.assertRaises(subprocess.CalledProcessError):
            pictures.square_jpeg(ContentFile(picture()))


class BusyPool(ProfileTestCase):
    def setUp(self):
        super().setUp()
        pool = WorkPool("test", threads=1, queue_size=0)
        pool.capacity = pool.threads = 0
        self.real = pictures.pool
        self.enterContext(patch.object(pictures, "pool", pool))

    def test_upload_is_a_503_that_changes_nothing_and_does_not_count(self):
        for _ in range(21):
            response = self.update(picture(), username="Alicia")
            self.assertContains(response, "uploading a picture", status_code=503)
            self.assertEqual(response["Retry-After"], "10")
        self.alice.refresh_from_db()
        self.assertEqual((self.alice.username, self.files()), ("Alice", []))
        self.assertFalse(SecurityEvent.objects.exists())

    def test_machine_that_has_no_process_left_is_busy_too(self):
        with (
            patch.object(pictures, "pool", self.real),
            patch("subprocess.run", side_effect=BlockingIOError(11, "fork")),
        ):
            response = self.update(picture())
        self.assertContains(response, "uploading a picture", status_code=503)
        self.assertFalse(SecurityEvent.objects.exists())

    def test_decoder_is_told_no_secret(self):
        with (
            patch.object(pictures, "pool", self.real),
            patch("subprocess.run", wraps=subprocess.run) as run,
        ):
            self.update(picture())
        self.assertEqual({*run.call_args.kwargs["env"]}, {"SYSTEMROOT"})

    def test_username_and_login_do_not_wait_for_it(self):
        self.assertRedirects(self.update(username="Alicia"), "/account/")
        self.client.post("/logout/")
        self.assertEqual(self.log_in().status_code, 302)

    def test_is_one_thread_and_a_queue_of_four_and_not_the_one_that_hashes(self):
        self.assertIsNot(self.real, hashers.pool)
        self.assertEqual((self.real.threads, self.real.capacity), (1, 5))


class UploadsPerMember(ThrottleTestCase):
    def setUp(self):
        super().setUp()
        refused = ValidationError(NO_PICTURE)
        self.decoded = self.enterContext(patch("users.forms.square_jpeg", side_effect=refused))
        self.client.force_login(self.alice)

    def upload(self, ip="192.0.2.1"):
        file = SimpleUploadedFile("me.png", b"no picture")
        return self.post("/account/", ip, username="Alice", picture=file)

    def use_up(self):
        for number in range(20):
            self.assertContains(self.upload(ip=f"198.51.100.{number}"), NO_PICTURE)

    def test_twenty_an_hour_are_decoded_from_wherever_they_come(self):
        self.use_up()
        self.assertThrottled(self.upload(), 60)
        self.assertEqual(self.decoded.call_count, 20)
        self.age(minutes=60)
        self.assertContains(self.upload(), NO_PICTURE)

    def test_another_email_is_no_new_count(self):
        self.use_up()
        self.alice.email = "alice@example.org"
        self.alice.save()
        self.assertThrottled(self.upload(), 60)

    def test_username_and_default_picture_neither_count_nor_are_limited(self):
        for _ in range(21):
            self.assertLetIn(self.post("/account/", username="Alice"))
        self.use_up()
        self.assertLetIn(self.post("/account/", username="Alicia"))

    def test_other_members_and_logins_are_not_held_up(self):
        self.use_up()
        self.client.post("/logout/")
        self.assertLetIn(self.try_password(password=PASSWORD))
        self.client.force_login(self.bob)
        self.assertContains(self.upload(), NO_PICTURE)

    def test_strangers_have_no_count(self):
        self.client.post("/logout/")
        SecurityEvent.objects.all().delete()
        self.assertRedirects(self.upload(), "/login/?next=/account/")
        self.assertFalse(SecurityEvent.objects.exists())
        self.decoded.assert_not_called()

    def test_those_that_were_stored_count_as_well(self):
        self.use_up()
        SecurityEvent.objects.update(kind=Kind.PICTURE_UPLOADED)
        self.assertThrottled(self.upload(), 60)

    def test_uploads_push_no_login_off_the_page(self):
        self.client.post("/logout/")
        self.log_in()
        self.use_up()
        self.assertContains(self.client.get("/account/security/"), "Logged in")
        self.assertEqual(SecurityEvent.objects.filter(kind=Kind.PICTURE_REFUSED).count(), 20)
