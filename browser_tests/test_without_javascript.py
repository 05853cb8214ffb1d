"""Everything works without JavaScript, if less smoothly."""

import pytest
from playwright.sync_api import expect

from users.models import User


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "java_script_enabled": False}


def test_register_log_in_and_log_out(person, page, width):
    page.goto("/about/")
    person.navigate("Home")
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
