import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core.management import CommandError
from django.db import IntegrityError
from django.test import override_settings
from PIL import Image

from imports.posts import Posts
from imports.tests.test_flask_blog import FIRST, FlaskBlogTestCase
from imports.tests.test_users import BARE
from users.models import User
from users.pictures import pool
from users.tests.test_profile import picture


class Pictures(FlaskBlogTestCase):
    def setUp(self):
        super().setUp()
        self.media = self.enterContext(TemporaryDirectory())
        self.enterContext(override_settings(MEDIA_ROOT=self.media))
        self.pictures = Path(self.folder, "profile_pics")
        self.pictures.mkdir()

    def add_user(self, number, picture_name):
        self.add((number, f"Dave{number}", f"{number}@x.org", picture_name, BARE))

    def stored(self):
        return [path for path in Path(self.media).rglob("*") if path.is_file()]

    def test_is_made_ours(self):
        (self.pictures / "a.png").write_bytes(picture("PNG"))
        self.add_user(1, "a.png")
        self.add_user(2, "default.jpg")
        self.run_import(pictures=str(self.pictures))
        self.assertIn("Pictures: 1 imported, 0 skipped.", self.said)
        name = User.objects.get(username="Dave1").picture.name
        self.assertRegex(name, r"^pictures/[0-9a-f]{32}\.jpg$")
        self.assertEqual(self.stored(), [Path(self.media, name)])
        with Image.open(self.stored()[0]) as image:
            self.assertEqual((image.format, image.size), ("JPEG", (256, 256)))
        self.assertEqual(User.objects.get(username="Dave2").picture.name, "default.jpg")

    def test_more_than_there_is_room_for_in_the_queue_are_made_ours_in_turn(self):
        for number in range(pool.capacity + 2):
            (self.pictures / f"{number}.png").write_bytes(picture("PNG"))
            self.add_user(number, f"{number}.png")
        self.run_import(pictures=str(self.pictures))
        self.assertEqual(len(self.stored()), pool.capacity + 2)

    def test_is_left_and_told_without_the_directory(self):
        self.add_user(1, "a.png")
        self.run_import()
        self.assertIn("Pictures: 1 not taken along, for which there is --pictures.", self.said)
        self.assertEqual(User.objects.get(username="Dave1").picture.name, "default.jpg")

    def test_refused_ones_clash_but_not_their_users(self):
        (self.pictures / "text.jpg").write_bytes(b"text")
        Path(self.folder, "above.png").write_bytes(picture("PNG"))
        names = ["none.jpg", "text.jpg", "../above.png", "..", "n\0l.jpg"]
        for number, name in enumerate(names):
            self.add_user(number, name)
        self.assertRefused("Clashes: 5. Nothing", pictures=str(self.pictures))
        missing = "picture: There is no such file that could be read."
        not_there = "picture: It is not the name of a file in that directory."
        self.assertClashes(
            ["user", "0", "none.jpg", missing],
            ["user", "1", "text.jpg", "picture: Please choose a JPEG, PNG or WebP picture."],
            ["user", "2", "../above.png", not_there],
            ["user", "3", "..", missing],
            ["user", "4", r"n\x00l.jpg", missing],
        )
        self.run_import("--skip-clashes", pictures=str(self.pictures))
        self.assertIn("Users: 5 imported, 0 already here, 0 skipped.", self.said)
        self.assertIn("Pictures: 0 imported, 5 skipped.", self.said)
        pictures = User.objects.filter(username__startswith="Dave").values_list(
            "picture", flat=True
        )
        self.assertEqual(set(pictures), {"default.jpg"})

    def test_no_file_stays_behind_if_nothing_is_imported(self):
        (self.pictures / "a.png").write_bytes(picture("PNG"))
        self.add_user(1, "a.png")
        self.run_import("--dry-run", pictures=str(self.pictures))
        self.assertIn("Pictures: 1 to import, 0 skipped.", self.said)
        self.add((1, *FIRST[1:]))
        for error, raised in [(KeyError, KeyError), (IntegrityError, CommandError)]:
            with patch.object(Posts, "store", side_effect=error), self.assertRaises(raised):
                self.run_import(pictures=str(self.pictures))
        self.assertEqual(self.stored(), [])

    def test_directory_must_be_there(self):
        self.assertRefused("There is no directory ", pictures=os.path.join(self.folder, "none"))
