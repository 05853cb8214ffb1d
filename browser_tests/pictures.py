"""Takes the README's pictures from the real site: `make pictures` writes docs/*.png."""

import pytest
from django.conf import settings
from django.core.management import call_command

from blog.models import Post
from users.models import SecurityEvent


@pytest.fixture
def browser_context_args(browser_context_args):
    return {
        **browser_context_args,
        "viewport": {"width": 1000, "height": 560},
        "reduced_motion": "reduce",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    }


def test_take_pictures(person, page):
    def take(name):
        page.wait_for_timeout(300)  # milliseconds, for the focus to settle
        page.screenshot(
            path=settings.BASE_DIR / "docs" / f"{name}.png", full_page=True, animations="disabled"
        )

    Post.objects.all().delete()
    call_command("load_demo_posts")
    page.goto("/")
    take("home")

    person.navigate("Register")
    person.register("alice", "bob@", "password", again="passwort")
    page.get_by_text("That username is taken.").wait_for()
    take("register")

    page.goto("/account/")
    page.get_by_text("Please log in to access this page.").wait_for()
    take("login")

    person.log_in()
    page.get_by_role("heading", name="Alice").wait_for()
    SecurityEvent.objects.update(time="2026-11-24T09:00Z", ip="192.0.2.1")
    page.reload()
    take("account")
