"""`manage.py demo`: a filled site to look at, for the developer."""

import re
import secrets
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from blog.models import Post
from users.models import User

PASSWORD = "just looking around"  # noqa: S105 - of nobody's account but these
MEMBER, STAFF = "Mira", "Robin"  # who can log in; the others' passwords are unusable
PEOPLE = {  # what they say about themselves, and how they look
    "Mira": ("Writes Python for a library.", "#5f788a", "#f2d5b8", "#3b2a20", "long"),
    "Jonas": ("Gardener. The compost is well.", "#7c9a6d", "#e9c3a0", "#c98b4b", "short"),
    "Amina": ("Bakes at night, teaches by day.", "#b98a5e", "#a5714e", "#1f1a1a", "long"),
    "Pavel": ("Keeps servers up, deletes things.", "#8a6f8c", "#f0cfae", "#8d8d8d", "short"),
    "Lucia": ("Two wheels, any weather.", "#c0726a", "#d9a679", "#54301f", "long"),
    "Robin": ("Looks after this site.", "#4f8a8b", "#c98f68", "#7a2f1d", "short"),
}
POSTS = re.compile(
    r"^=== (\w+), (\d+) days?(, announcement)?: (.+)\n((?:(?!===).*\n)+)", re.MULTILINE
)


class Command(BaseCommand):
    help = "Fills an empty site with members, pictures and posts, and prints how to log in."

    @transaction.atomic
    def handle(self, *args, **options):
        if not settings.DEBUG:
            raise CommandError("The demo is for the developer: its passwords are known to all.")
        if not User.objects.exists():
            self.fill()
        elif not User.objects.with_email(email(STAFF)).exists():
            raise CommandError("The demo is for an empty site, and this one has members.")
        for name, role in [(MEMBER, "Member:"), (STAFF, "Staff: ")]:
            self.stdout.write(f"{role} {email(name)}, password: {PASSWORD}")

    def fill(self):
        people = {name: self.add(name, *who) for name, who in PEOPLE.items()}
        now = timezone.now()
        for name, days, announcement, title, content in POSTS.findall(
            Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
        ):
            post = Post(
                author=people[name],
                title=title,
                content=content.strip(),
                date_posted=now - timedelta(days=int(days), hours=int(days) % 9),
                is_announcement=bool(announcement),
            )
            post.full_clean()
            post.save()

    def add(self, name, about, *looks):
        create = User.objects.create_superuser if name == STAFF else User.objects.create_user
        password = PASSWORD if name in {MEMBER, STAFF} else None
        user = create(name, email(name), password, email_confirmed_at=timezone.now(), about=about)
        user.picture.save(f"{secrets.token_hex(16)}.jpg", portrait(*looks))
        return user


def email(name):
    return f"{name.lower()}@example.com"


def portrait(background, skin, hair, length):
    """Return a picture of somebody in these colours, with long or short hair, as a ContentFile."""
    # Drawn four times as large as it is stored: Pillow's edges are jagged.
    picture = Image.new("RGB", (1024, 1024), background)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((260, 170, 764, 760) if length == "long" else (296, 180, 728, 600), fill=hair)
    draw.rounded_rectangle((420, 600, 604, 860), 80, fill=skin)
    draw.ellipse((150, 770, 874, 1500), fill="#f4f1ec")
    draw.ellipse((420, 720, 604, 850), fill=skin)
    draw.ellipse((320, 260, 704, 740), fill=skin)
    draw.pieslice((300, 190, 724, 620), 180, 360, fill=hair)
    for x in [430, 594]:
        draw.ellipse((x - 22, 470, x + 22, 514), fill="#2b2b2b")
    draw.arc((440, 520, 584, 650), 25, 155, fill="#2b2b2b", width=14)
    data = BytesIO()
    picture.resize((256, 256)).save(data, "JPEG", quality=90)
    return ContentFile(data.getvalue())
