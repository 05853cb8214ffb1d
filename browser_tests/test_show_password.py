"""The button that shows a password, under the same Content-Security-Policy as everything."""

from playwright.sync_api import expect


def test_shows_and_hides_what_was_typed(page, theme):
    page.goto("/login/")
    field, button = page.get_by_label("Password"), page.get_by_role("button", name="Show password")
    field.fill("a secret")
    expect(field).to_have_attribute("type", "password")
    button.click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value("a secret")
    page.get_by_role("button", name="Hide password").click()
    expect(button).to_be_visible()
    expect(field).to_have_attribute("type", "password")


def test_each_field_has_its_own(page, width):
    page.goto("/register/")
    buttons = page.get_by_role("button", name="Show password")
    expect(buttons).to_have_count(2)
    buttons.nth(1).click()
    expect(buttons).to_have_count(1)
    expect(page.locator("#id_password1")).to_have_attribute("type", "password")
    expect(page.locator("#id_password2")).to_have_attribute("type", "text")


def test_stands_in_the_field_and_behind_what_is_typed(page, width):
    page.goto("/login/")
    field = page.get_by_label("Password").bounding_box()
    button = page.get_by_role("button", name="Show password").bounding_box()
    assert field["y"] < button["y"]
    assert button["y"] + button["height"] < field["y"] + field["height"]
    assert field["x"] + field["width"] / 2 < button["x"]
    assert button["x"] + button["width"] < field["x"] + field["width"]


def test_keyboard_reaches_it_after_the_field_and_enter_still_sends_the_form(page):
    page.goto("/login/")
    page.keyboard.type("alice@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Show password")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_label("Password")).to_have_attribute("type", "text")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/")


def test_browser_sees_a_password_sent_even_when_it_is_shown(page):
    page.goto("/login/")
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Show password").click()
    page.evaluate(
        """document.querySelector("form").addEventListener("submit", (event) => {
            event.preventDefault();
            document.title = document.querySelector("#id_password").type;
        })"""
    )
    page.get_by_role("button", name="Login", exact=True).click()
    expect(page).to_have_title("password")


def test_not_there_where_it_could_not_work(browser, live_server):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(live_server.url + "/login/")
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_role("button", name="Show password")).to_have_count(0)
    page.context.close()
