"""Everything works without JavaScript, if less smoothly."""

import time
from base64 import b32decode

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from factors import confirmed
from playwright.sync_api import expect

from testing.cast import give_app, give_codes, show_code
from users.models import User


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "java_script_enabled": False}


def test_register_log_in_and_log_out(person, page, width):
    page.goto("/")
    person.navigate("About")
    person.navigate("Register")
    person.register("Dave", "dave@example.com", "an unusual sentence")
    person.log_in("dave@example.com", "an unusual sentence")
    person.navigate("Account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dave")
    person.navigate("Logout")
    expect(page).to_have_url("/")


def test_double_click_makes_one_user(person, page):
    page.goto("/register/")
    person.register("Dave", "dave@example.com", "an unusual sentence", again="")
    page.locator("#id_password1").fill("an unusual sentence")
    page.locator("#id_password2").fill("an unusual sentence")
    page.get_by_role("button", name="Sign Up").dblclick()
    expect(page.get_by_role("main")).to_be_visible()
    assert User.objects.filter(username="Dave").count() == 1


def test_codes_work_and_passkeys_say_that_they_need_it(person, page, settings, width):
    alice = confirmed()
    app, codes = give_app(alice), give_codes(alice)
    page.goto("/login/?next=/account/security/")
    expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    expect(page.get_by_role("button", name="Log in with a passkey")).to_have_count(0)
    person.log_in()
    expect(page).to_have_url("/login/verify/?next=/account/security/")
    page.get_by_label("Code").fill(show_code(app))
    page.get_by_role("button", name="Login", exact=True).click()
    expect(page).to_have_url("/account/security/")
    page.get_by_role("link", name="Add a passkey").click()
    expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_have_count(0)
    expect(page.get_by_label("Name")).to_be_hidden()

    settings.PROOF_SECONDS = 0
    page.goto("/account/data/")
    settings.PROOF_SECONDS = 15 * 60
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url("/account/data/")


def test_first_app_and_recovery_codes(person, page, width):
    alice = confirmed()
    page.goto("/login/?next=/account/security/app/")
    person.log_in()
    key = page.locator("main code").inner_text().replace(" ", "")
    app = TOTP(b32decode(key), 6, SHA1(), 30)
    page.get_by_label("Code").fill(app.generate(time.time()).decode())
    page.get_by_role("button", name="Add the app").click()
    page.get_by_role("button", name="Make recovery codes").click()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.get_by_role("button", name="Print")).to_have_count(0)
    page.get_by_label("One of the codes").fill(page.locator("#codes").inner_text().split()[0])
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Your recovery codes work from now on.")).to_be_visible()
    assert alice.has_second_factor
