"""What members do with their accounts, mailbox in hand, on a phone and at a desk."""

import re
from io import BytesIO

import pytest
from people import Person
from PIL import Image
from playwright.sync_api import expect

from users.models import User

NEW_PASSWORD = "another unusual sentence"


@pytest.fixture
def alice(person, page):
    """Alice, logged in and on her account page."""
    page.goto("/login/?next=/account/")
    person.log_in()
    expect(page).to_have_url("/account/")
    return person


@pytest.fixture
def open_mail(mailoutbox, live_server, settings):
    settings.SITE_URL = live_server.url

    def open_mail(page, to, subject):
        """Follow the link in the newest mail, which must be the one named."""
        message = next(message for message in reversed(mailoutbox) if message.to == [to])
        assert message.subject == subject
        page.goto(re.search(r"^http\S+$", message.body, re.MULTILINE)[0])

    return open_mail


def test_forgotten_password(person, page, width, theme, open_mail, mailoutbox):
    page.goto("/login/")
    page.get_by_role("link", name="Forgot Password?").click()
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")

    open_mail(page, "alice@example.com", "Set a new password")
    expect(page).to_have_url(re.compile("/set-password/$"))
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password confirmation").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    person.log_in(password=NEW_PASSWORD)
    expect(page).to_have_url("/")

    assert mailoutbox[-1].subject == "Your password has been reset"


def test_confirm_email(alice, page, width, theme, open_mail):
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("A link to confirm your email is on its way")).to_be_visible()
    open_mail(page, "alice@example.com", "Confirm your email")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your email is confirmed.")).to_be_visible()
    expect(page.get_by_text("Please confirm your email.")).to_have_count(0)


def test_change_email(alice, page, width, theme, open_mail):
    page.get_by_role("link", name="Email", exact=True).click()
    page.get_by_label("New email").fill("New@Example.com")
    page.get_by_role("button", name="Change email").click()
    expect(page.get_by_text("alice@example.com", exact=True)).to_be_visible()
    open_mail(page, "new@example.com", "Confirm your new email")
    page.get_by_role("button", name="Confirm").dblclick()
    changed = "Your email has changed from alice@example.com to new@example.com."
    expect(page.get_by_text(changed)).to_have_count(1)


def test_change_password_and_end_sessions(alice, page, new_context, width, theme):
    others = []
    for _ in range(3):
        other = new_context().new_page()
        other.goto("/login/")
        Person(other).log_in()
        expect(other).to_have_url("/")
        others.append(other)

    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_text("This device", exact=True)).to_have_count(1)
    page.get_by_role("button", name="Log out this device").first.click()
    expect(page.get_by_text("That device is logged out.")).to_be_visible()
    expect(page.get_by_role("button", name="Log out this device")).to_have_count(2)

    page.get_by_role("link", name="Security", exact=True).click()
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill(Person.PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password confirmation").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password has been changed.")).to_be_visible()
    for other in others:
        other.goto("/account/")
        expect(other).to_have_url("/login/?next=/account/")


def test_profile_and_picture(alice, page, width, theme, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    red = BytesIO()
    Image.new("RGB", (600, 400), "red").save(red, "PNG")
    page.get_by_label("Username").fill("Alicia")
    page.get_by_label("Picture (optional)", exact=True).set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": red.getvalue()}
    )
    preview = page.get_by_alt_text("Your picture")
    expect(preview).to_have_js_property("naturalWidth", 600)  # before it is sent
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Alicia")
    # Expected, not asserted: it may still be loading.
    expect(preview).to_have_js_property("naturalWidth", 256)

    page.get_by_label("Picture (optional)", exact=True).set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": b"<svg/>"}
    )
    page.get_by_role("button", name="Update").click()
    expect(page.get_by_text("Please choose a JPEG, PNG or WebP picture.")).to_be_visible()
    expect(page.get_by_label("Picture (optional)", exact=True)).to_be_focused()

    page.get_by_role("button", name="Use the default picture").click()
    expect(page.get_by_text("Your account has been updated.")).to_be_visible()
    expect(page.get_by_role("button", name="Use the default picture")).to_have_count(0)


def test_take_data_and_delete_account(alice, page, width, theme):
    page.get_by_role("link", name="Data", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert '"username": "Alice"' in download.value.path().read_text()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Please tick the box if you are sure.")).to_be_visible()
    page.get_by_label("Yes, delete my account").check()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account has been deleted.")).to_be_visible()
    assert not User.objects.filter(username="Alice").exists()
