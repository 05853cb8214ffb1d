"""A real browser on the real site: the system's Chromium and Django's live server."""

import os
import shutil

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from people import Person

from blog.models import Post
from users.models import User

# Playwright's loop runs in the tests' thread, and Django would take the tests for async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not os.path.exists(chromium):
        pytest.exit(
            "No Chromium here. Install it (Debian: apt-get install chromium), or say where it is:"
            " CHROMIUM=/path/to/chromium make browser",
            returncode=1,
        )
    # Chromium's sandbox does not start for root, as whom containers run.
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": args,
        # Playwright leaves out what people have: a Back button that shows a page as it was left.
        "ignore_default_args": ["--disable-back-forward-cache"],
    }


@pytest.fixture(params=[("dark", 360), ("light", 1280)], ids=["phone", "desk"])
def screen(request):
    """A phone in the dark, and a desk in the light."""
    return request.param


@pytest.fixture
def theme(screen):
    return screen[0]


@pytest.fixture
def width(screen):
    """In pixels."""
    return screen[1]


@pytest.fixture
def browser_context_args(browser_context_args, live_server, request):
    """Every page is on the site, in the theme and width of its test where the test has them."""

    def of_the_test(name, default):
        return request.getfixturevalue(name) if name in request.fixturenames else default

    return {
        **browser_context_args,
        "base_url": live_server.url,
        "color_scheme": of_the_test("theme", "light"),
        "viewport": {"width": of_the_test("width", 1280), "height": 800},
    }


@pytest.fixture(autouse=True)
def cast(transactional_db, monkeypatch, settings):
    """Alice is a member who wrote eleven posts, Carol is staff; bcrypt is at its lowest cost."""
    monkeypatch.setattr(BCryptSHA256PasswordHasher, "rounds", 4)
    settings.SITE_NAME = "Django Blog"  # whatever yours is
    alice = User.objects.create_user("Alice", "alice@example.com", Person.PASSWORD)
    User.objects.create_superuser("Carol", "carol@example.com", Person.PASSWORD)
    for number in range(1, 12):
        Post.objects.create(author=alice, title=f"Post {number}", content="Some text.\n\nMore.")


@pytest.fixture
def person(page):
    """Somebody at the browser."""
    return Person(page)


@pytest.fixture(autouse=True)
def nothing_is_refused(page):
    """Fail a test in which a page asked for what its Content-Security-Policy refuses."""
    refused = []

    def listen(message):
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    page.on("console", listen)
    yield
    assert refused == []
