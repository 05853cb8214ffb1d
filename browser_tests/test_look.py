"""What the eye and the keyboard meet on every page."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import signing
from django.utils import timezone
from factors import Device, confirmed
from playwright.sync_api import expect

from blog.models import Post
from testing.cast import give_app, give_codes, show_code
from users.events import RECOVER_SALT
from users.models import User

FOR_EVERYBODY = [
    *["/", "/?page=2", "/about/", "/nope/", "/user/Alice/", "/announcements/"],
    *["/archive/2026/1/", "/archive/1999/1/", "/privacy/"],
]
FOR_STRANGERS = [
    "/register/",
    "/login/",
    "/login/?next=/account/",
    "/password-reset/",
    "/password-reset/done/",
    "/password-reset/x/y/",
    "/password-reset/complete/",
    "/account/email/confirm/x/",
    "/account/recover/x/",
]
FOR_MEMBERS = [
    "/post/new/",
    "/account/",
    "/account/email/",
    "/account/confirm/",
    "/account/security/",
    "/account/password/",
    "/account/sessions/",
    "/account/data/",
    "/logout/",
]


def visit(page, person, url):
    if url in FOR_MEMBERS:
        page.goto("/login/")
        person.log_in()
        expect(page).to_have_url("/")
    page.goto(url)


def assert_accessible(page):
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def type_wrong_code(page):
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator(".invalid-feedback")).to_be_visible()


def assert_accessible_and_fits(page, width):
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for text in page.locator("main pre").all():
        assert text.evaluate("each => each.scrollWidth <= each.clientWidth"), "it is cut off"


@pytest.mark.parametrize("url", FOR_EVERYBODY + FOR_STRANGERS + FOR_MEMBERS)
def test_page_is_accessible_and_fits(person, page, theme, width, url):
    visit(page, person, url)
    assert_accessible_and_fits(page, width)
    bar = page.get_by_role("navigation", name="Main").bounding_box()
    assert bar["height"] < 64, "the navigation bar takes more than one line"


def test_second_factors_are_accessible_and_fit(person, page, theme, width):
    confirmed()
    Device(page).verify(False)
    page.goto("/login/?next=/account/security/")
    person.log_in()
    expect(page.get_by_role("link", name="Add a passkey")).to_be_visible()
    assert_accessible_and_fits(page, width)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Your browser gave no passkey.")).to_be_visible()
    assert_accessible_and_fits(page, width)
    page.goto("/account/security/app/")
    assert_accessible_and_fits(page, width)
    type_wrong_code(page)
    assert_accessible_and_fits(page, width)


def test_pages_of_a_member_with_second_factors_are_accessible_and_fit(
    person, page, theme, width, settings, live_server
):
    settings.SITE_URL = live_server.url
    alice = confirmed()
    phone = Device(page)
    phone.keep_passkey_of(alice, name="W" * 50)  # the longest
    app = give_app(alice)
    give_codes(alice)
    page.goto("/login/?next=/account/security/")
    person.log_in()
    expect(page).to_have_url(re.compile("/login/verify/"))
    assert_accessible_and_fits(page, width)
    type_wrong_code(page)
    assert_accessible_and_fits(page, width)
    page.get_by_label("Code").fill(show_code(app))
    page.keyboard.press("Enter")
    expect(page).to_have_url("/account/security/")
    assert_accessible_and_fits(page, width)
    for url in ["passkeys/add/", f"passkeys/{alice.passkeys.get().pk}/", "codes/"]:
        page.goto(f"/account/security/{url}")
        assert_accessible_and_fits(page, width)
    page.get_by_role("button", name="Make recovery codes").click()
    expect(page.locator("#codes")).to_be_visible()
    assert_accessible_and_fits(page, width)
    page.goto("/account/confirm/")
    assert_accessible_and_fits(page, width)


def test_link_that_takes_an_account_back_is_accessible_and_fits(page, theme, width):
    alice = confirmed()
    since = timezone.now().isoformat()
    give_app(alice)
    former = f"{'long' * 12}@example.com"
    token = signing.dumps([alice.pk, former, since], salt=RECOVER_SALT)
    page.goto(f"/account/recover/{token}/")
    expect(page.get_by_text("These are removed: Authenticator app.")).to_be_visible()
    assert_accessible_and_fits(page, width)


def test_proof_that_a_form_of_the_admin_asks_for_is_accessible(
    person, page, theme, width, settings
):
    page.goto("/admin/auth/group/add/")
    person.log_in("carol@example.com")
    page.get_by_label("Name").fill("Editors")
    settings.ADMIN_PROOF_SECONDS = 0
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    assert_accessible_and_fits(page, width)


@pytest.mark.parametrize("url", ["/register/", "/login/"])
def test_form_with_errors_is_accessible(page, theme, width, url):
    page.goto(url)
    page.locator("main [type=submit]").first.click()
    expect(page.get_by_text("This field is required.")).not_to_have_count(0)
    for field in page.locator("main [required]").all():
        expect(field).to_have_accessible_description(re.compile("This field is required."))
    assert_accessible(page)
    page.get_by_role("button", name="Show password").first.click()
    assert_accessible(page)


def test_too_many_attempts_are_told_how_long_to_wait(person, page, theme, width, settings):
    settings.LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES = 2
    page.goto("/login/")
    for _ in range(3):
        person.log_in(password="wrong")
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many attempts")
    expect(page.get_by_text("Please try again in 15 minutes")).to_be_visible()
    assert_accessible(page)


WIDE = (
    """## A heading

| a long word in a table | and another one | and one more of them | and the last one |
|---|---|---|---|
| 1234567890123456789012345678901234567890 | 2 | 3 | 4 |

```
a_line_of_code("that is longer than any phone is wide, and longer than the column of a desk", 1)
```

> A quote with a [link](https://example.com/) and """
    + "averylongword" * 30
)


def test_post_is_accessible_and_what_is_wide_scrolls_in_its_box(page, theme, width):
    author = User.objects.get(username="Alice")
    title = "A title with averylongword" + "averylongword" * 5
    post = Post.objects.create(author=author, title=title, content=WIDE, is_announcement=True)
    urls = [post.get_absolute_url(), "/", "/announcements/", "/user/Alice/"]
    for url in urls:
        page.goto(url)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.goto(urls[0])
    for box in ["pre", "table"] if width == 360 else ["pre"]:
        locator = page.locator(f".post-text {box}")
        assert locator.evaluate("box => box.scrollWidth > box.clientWidth"), box
        locator.focus()
        expect(locator).to_be_focused()


def test_writing_is_accessible(person, page, theme, width):
    page.goto("/login/")
    person.log_in()
    expect(page).to_have_url("/")
    person.navigate("New Post")
    page.get_by_label("Title").fill("Wide")
    page.get_by_label("Content").fill(WIDE)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_label("Title").fill("")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    assert_accessible(page)
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Title").fill("Wide")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_label("Your text was not saved.")).to_have_value(re.compile("A quote with"))
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_menu_of_a_phone_is_accessible_and_closes_as_menus_do(person, page, theme):
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/login/")
    person.log_in()
    expect(page).to_have_url("/")
    new_post = page.get_by_role("link", name="New Post").locator("visible=true")
    for close in [lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(180, 700)]:
        page.get_by_label("Menu").click()
        expect(new_post).to_be_visible()
        assert_accessible(page)
        close()
        expect(new_post).to_have_count(0)


LIGHT, DARK = "rgb(250, 250, 250)", "rgb(20, 24, 27)"


def test_theme_follows_the_system_while_the_page_is_open(page):
    page.goto("/")
    for theme, grey in [("light", LIGHT), ("dark", DARK)]:
        page.emulate_media(color_scheme=theme)
        expect(page.locator("body")).to_have_css("background-color", grey)
    page.emulate_media(color_scheme="light")
    steel = "rgb(95, 120, 138)"
    expect(page.get_by_role("banner")).to_have_css("background-color", steel)


def test_theme_that_is_chosen_is_kept_whatever_the_system_says(page):
    page.goto("/")
    page.get_by_label("Theme").select_option("Dark")
    for url in ["/", "/about/"]:
        page.goto(url)
        expect(page.locator("body")).to_have_css("background-color", DARK)
        expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("System")
    expect(page.locator("body")).to_have_css("background-color", LIGHT)


def test_where_nothing_may_be_kept_the_rest_of_the_script_works(page):
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("Access is denied", "SecurityError"); },
        });"""
    )
    page.emulate_media(color_scheme="dark")
    page.goto("/login/")
    expect(page.locator("body")).to_have_css("background-color", DARK)
    expect(page.get_by_role("button", name="Show password")).to_be_visible()
    page.get_by_label("Theme").select_option("Light")
    expect(page.locator("body")).to_have_css("background-color", LIGHT)


def test_fields_are_no_longer_than_a_line_is_read(page):
    page.goto("/login/")
    assert page.get_by_label("Email").bounding_box()["width"] <= 450


# As WCAG 2.2 defines relative luminance and contrast.
CONTRAST = """element => {
    const luminance = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((value) => {
            const c = value / 255;
            return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const clear = (color) => color === "rgba(0, 0, 0, 0)";
    let ground = element.parentElement;
    while (clear(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
    const border = luminance(getComputedStyle(element).borderTopColor);
    return [element, ground].map((each) => {
        const other = luminance(getComputedStyle(each).backgroundColor);
        return (Math.max(border, other) + 0.05) / (Math.min(border, other) + 0.05);
    });
}"""


def test_borders_of_fields_stand_out_against_both_sides(person, page, theme):
    page.goto("/login/")
    fields = page.locator("main").locator("input, textarea, select").locator("visible=true")
    expect(fields).to_have_count(3)
    for field in [*fields.all(), page.get_by_label("Theme")]:
        assert min(field.evaluate(CONTRAST)) >= 3, "WCAG 1.4.11"


def test_missing_characters_of_a_new_password_are_counted(page):
    page.goto("/register/")
    page.get_by_label("Password", exact=True).press_sequentially("secret")
    expect(page.get_by_text("2 more characters")).to_be_visible()
    page.keyboard.type("s")
    expect(page.get_by_text("1 more character", exact=True)).to_be_visible()
    page.keyboard.type("s")
    expect(page.get_by_text("more character")).to_have_count(0)


def test_keyboard_alone_skips_to_the_content(page):
    page.goto("/about/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_keyboard_alone_logs_in(page):
    page.goto("/login/")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type("alice@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page).to_have_url("/")


@pytest.mark.parametrize("url", ["/?page=2", "/login/"])
def test_focus_is_visible_wherever_the_tab_key_leads(page, theme, url):
    page.goto(url)
    page.locator("body").press("Tab")
    seen = []
    while (focused := page.locator(":focus")).count():
        seen.append(focused.evaluate("element => element.outerHTML"))
        expect(focused).to_have_css("outline-style", "solid")
        expect(focused).to_have_css("outline-width", "3px")
        page.keyboard.press("Tab")
    assert len(seen) == len(set(seen)) > 4
