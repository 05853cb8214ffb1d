"""Takes the README's pictures from the real site and its demo: `make pictures`."""

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from blog.management.commands.demo import PASSWORD
from testing.authenticator import Authenticator
from testing.cast import give_app, give_codes, give_passkey
from users.models import SecurityEvent, User

DRAFT = """\
The first frost is the date on which a gardener's year ends. **Everything** that is still outside
by then

1. is eaten
2. is covered
3. is compost

> Look at the sky at four: if it is clear, fetch the lemon tree.
"""


@pytest.fixture
def browser_context_args(browser_context_args):
    return {
        **browser_context_args,
        "viewport": {"width": 1000, "height": 700},
        "device_scale_factor": 1,
        "reduced_motion": "reduce",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    }


@pytest.fixture
def mira(tmp_path, settings):
    """A member of a site with the demo and nothing else."""
    settings.MEDIA_ROOT = tmp_path
    User.objects.all().delete()
    with override_settings(DEBUG=True):
        call_command("demo")
    return User.objects.get(username="Mira")


def test_take_pictures(person, page, mira):
    def take(name, **options):
        page.wait_for_timeout(300)  # milliseconds, for the focus to settle
        path = settings.BASE_DIR / "docs" / f"{name}.png"
        page.screenshot(path=path, animations="disabled", **options)

    page.goto("/")
    take("home")
    page.set_viewport_size({"width": 360, "height": 700})
    take("phone")
    page.set_viewport_size({"width": 1000, "height": 700})
    page.emulate_media(color_scheme="dark")
    page.get_by_role("main").get_by_role("link", name="A session is a cloakroom ticket").click()
    page.get_by_role("heading", level=1, name="A session is a cloakroom ticket").wait_for()
    take("dark")
    page.emulate_media(color_scheme="light")

    page.goto("/login/?next=/account/security/")
    person.log_in("mira@example.com", PASSWORD)
    page.get_by_role("heading", name="Recent activity").wait_for()
    # After the login, which would ask for one of them.
    for name in ["Laptop", "Phone"]:
        give_passkey(mira, Authenticator(), name)
    give_app(mira)
    give_codes(mira)
    SecurityEvent.objects.update(ip="192.0.2.1")
    page.reload()
    take("security")

    page.goto("/post/new/")
    page.get_by_label("Title").fill("The last evening before the frost")
    page.get_by_label("Content").fill(DRAFT)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("region", name="Preview").wait_for()
    take("writing", full_page=True)
