import time

import pytest
from people import Person
from playwright.sync_api import expect

TWO_WEEKS = 14 * 24 * 60 * 60  # seconds


def session_cookie(page):
    return next(cookie for cookie in page.context.cookies() if cookie["name"] == "sessionid")


def test_remember_me_outlives_the_browser(person, page):
    page.goto("/login/")
    person.log_in(remember=True)
    assert abs(session_cookie(page)["expires"] - time.time() - TWO_WEEKS) < 60


def test_without_remember_me_the_login_ends_with_the_browser(person, page):
    page.goto("/login/")
    person.log_in()
    assert session_cookie(page)["expires"] == -1


def test_script_cannot_read_the_session_cookie(person, page):
    page.goto("/login/")
    person.log_in()
    assert "sessionid" not in page.evaluate("document.cookie")


@pytest.mark.parametrize("url", ["/account/", "/account/sessions/", "/about/"])
def test_back_button_after_logout_shows_no_page_of_the_member(person, page, url):
    page.goto("/login/")
    person.log_in()
    expect(page).to_have_url("/")
    page.goto(url)
    expect(page.get_by_role("button", name="Logout")).to_be_visible()
    person.navigate("Logout")
    expect(page.get_by_role("link", name="Login")).to_be_visible()
    page.evaluate("history.back()")  # go_back waits for a load, which a kept page does not have
    page.wait_for_timeout(500)  # milliseconds
    expect(page.get_by_role("link", name="Login")).to_be_visible()
    expect(page.get_by_text("alice@example.com")).to_have_count(0)
    expect(page.get_by_role("button", name="Logout")).to_have_count(0)


def test_form_of_a_first_tab_after_a_login_in_a_second(person, page):
    page.goto("/login/?next=/account/")
    second = page.context.new_page()
    second.goto("/login/")
    Person(second).log_in()
    expect(second).to_have_url("/")

    person.log_in()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please try again")
    expect(page.get_by_text("You are logged in as Alice already.")).to_be_visible()
    page.get_by_role("link", name="Go on to where you were going").click()
    expect(page).to_have_url("/account/")
    expect(page.get_by_role("link", name="Account")).to_be_visible()
