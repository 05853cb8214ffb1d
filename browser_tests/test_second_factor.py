"""Passkeys, codes and the proof that it is still you, with Chromium's virtual authenticator."""

import re
import time
from base64 import b32decode

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from factors import Device, confirmed
from playwright.sync_api import expect

from testing.cast import give_app, give_codes, show_code
from users.models import Passkey, RecoveryCode

NO_PASSKEY = "Your browser gave no passkey. Please try again."
REFUSED = "That passkey was refused."
VERIFY = re.compile("/login/verify/")
CODES = re.compile("/account/security/codes/")
CONFIRM = re.compile("/account/confirm/")


@pytest.fixture(autouse=True)
def site_url(settings, live_server):
    settings.SITE_URL = live_server.url
    assert live_server.url.startswith("http://localhost:")  # passkeys need a name, or HTTPS


@pytest.fixture
def alice():
    """Alice's account, with a confirmed email."""
    return confirmed()


@pytest.fixture
def phone(page):
    return Device(page)


@pytest.fixture
def passkey(phone, alice):
    """Alice's passkey, on her phone."""
    return phone.keep_passkey_of(alice)


def log_in(page, person, url="/"):
    """Give the right password, on the way to `url`."""
    page.goto(f"/login/?next={url}")
    person.log_in()


def expect_logged_in(page, url="/"):
    expect(page).to_have_url(url)
    expect(page.get_by_role("link", name="Account")).to_be_visible()


def expect_logged_out(page):
    page.goto("/account/")
    expect(page).to_have_url("/login/?next=/account/")


def log_in_with_passkey(page, url="/login/"):
    page.goto(url)
    page.get_by_role("button", name="Log in with a passkey").click()


def type_code(page, code, button="Login"):
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name=button, exact=True).click()


def shown_codes(page):
    return page.locator("#codes").inner_text().split()


# The first factor, and what it is good for


def test_first_passkey_up_to_the_login_with_it_alone(person, page, phone, alice, theme, width):
    log_in(page, person, "/account/security/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page).to_have_url("/account/security/codes/")
    # Resident: the login finds it although nobody has said who they are.
    assert [each["isResidentCredential"] for each in phone.credentials()] == [True]
    assert not alice.has_second_factor, "it counts before there are recovery codes"

    page.get_by_role("button", name="Make recovery codes").click()
    codes = shown_codes(page)
    assert len(set(codes)) == 10
    page.get_by_label("One of the codes").fill("nonsense")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("That is not one of these codes.")).to_be_visible()
    assert shown_codes(page) == codes
    page.get_by_label("One of the codes").fill(codes[3].lower().replace("-", " "))
    page.get_by_role("button", name="Done").click()
    expect(page).to_have_url("/account/security/")
    expect(page.get_by_text("My phone")).to_be_visible()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()

    person.navigate("Logout")
    expect(page).to_have_url("/")
    log_in_with_passkey(page, "/login/?next=/account/security/")
    expect(page).to_have_url("/account/security/")
    expect(page.get_by_text("Last used on")).to_be_visible()


def test_second_passkey_counts_at_once_and_the_first_device_makes_no_other(
    person, page, passkey, phone, alice
):
    log_in(page, person, "/account/security/passkeys/add/")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text(NO_PASSKEY)).to_be_visible()
    assert len(phone.credentials()) == 1

    phone.send("removeVirtualAuthenticator", authenticatorId=phone.id)
    Device(page)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Your passkey has been added.")).to_be_visible()
    assert Passkey.objects.live(user=alice).count() == 2


def test_rename_and_remove(person, page, passkey, phone, alice):
    log_in_with_passkey(page, "/login/?next=/account/security/")
    page.get_by_role("link", name="Rename or remove Phone").click()
    page.get_by_label("Name").fill("Old phone")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("link", name="Rename or remove Old phone").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("It has been removed.")).to_be_visible()
    expect(page.get_by_text("Old phone")).to_have_count(0)

    person.navigate("Logout")
    log_in_with_passkey(page)
    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert len(phone.credentials()) == 1, "it is the site that has to refuse it"
    expect_logged_out(page)


def test_authenticator_app_from_the_key_on_the_page(person, page, alice, theme, width):
    log_in(page, person, "/account/security/")
    page.get_by_role("link", name="Add an app").click()
    expect(page.get_by_role("img", name="QR code for the app")).to_be_visible()
    key = page.locator("main code").inner_text()
    app = TOTP(b32decode(key.replace(" ", "")), 6, SHA1(), 30)
    type_code(page, "000000", "Add the app")
    expect(page.get_by_text("That code is wrong.")).to_be_visible()
    assert page.locator("main code").inner_text() == key
    now = time.time()
    type_code(page, app.generate(now).decode(), "Add the app")
    expect(page).to_have_url("/account/security/codes/")
    page.get_by_role("button", name="Make recovery codes").click()
    page.get_by_label("One of the codes").fill(shown_codes(page)[0])
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Remove the app")).to_be_visible()

    person.navigate("Logout")
    log_in(page, person)
    expect(page).to_have_url(VERIFY)
    type_code(page, app.generate(now).decode())
    expect(page.locator(".invalid-feedback")).to_be_visible()  # none counts twice
    next_code = app.generate(now + 30).decode()
    type_code(page, f" {next_code[:3]} {next_code[3:]} ")
    expect_logged_in(page)


def test_copy_download_and_print_the_codes(person, page, passkey, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add_init_script("window.print = () => { document.title = 'printed'; }")
    log_in_with_passkey(page, "/login/?next=/account/security/codes/")
    page.get_by_role("button", name="Make recovery codes").click()
    codes = shown_codes(page)

    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "recovery-codes.txt"
    assert download.value.path().read_text().splitlines() == codes
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print")
    expect(page.locator("#codes")).to_be_visible()
    expect(page.get_by_role("button", name="Copied")).to_be_hidden()
    expect(page.get_by_role("button", name="Done")).to_be_hidden()


# Logging in


def test_passkey_after_the_password(person, page, passkey):
    log_in(page, person, "/account/")
    expect(page).to_have_url("/login/verify/?next=/account/")
    page.get_by_role("button", name="Use a passkey").click()
    expect_logged_in(page, "/account/")


def test_key_without_pin_serves_after_the_password_only(person, page, alice):
    key = Device(page, verifies=False, resident=False)
    log_in(page, person, "/account/security/passkeys/add/")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Make recovery codes").click()
    page.get_by_label("One of the codes").fill(shown_codes(page)[0])
    page.get_by_role("button", name="Done").click()
    assert [each["isResidentCredential"] for each in key.credentials()] == [False]
    person.navigate("Logout")

    log_in_with_passkey(page)
    expect(page.get_by_text(NO_PASSKEY)).to_be_visible()
    expect_logged_out(page)
    log_in(page, person)
    page.get_by_role("button", name="Use a passkey").click()
    expect_logged_in(page)


def test_key_that_says_it_verified_nobody_is_refused_alone(page, passkey, phone):
    # A browser that does not care: what the site asked for is changed on the way.
    def prefer(route):
        answer = route.fetch()
        options = {**answer.json(), "userVerification": "discouraged"}
        route.fulfill(response=answer, json=options)

    phone.verify(False)
    page.route("**/passkey/options/", prefer)
    log_in_with_passkey(page)
    expect(page.get_by_text(REFUSED)).to_be_visible()
    expect_logged_out(page)


def test_passkey_that_the_device_has_no_more(person, page, passkey, phone):
    phone.forget()
    log_in_with_passkey(page)
    expect(page.get_by_role("alert").filter(has_text=NO_PASSKEY)).to_be_visible()
    log_in(page, person)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert").filter(has_text=NO_PASSKEY)).to_be_visible()
    expect(page).to_have_url(VERIFY)


def test_passkey_that_was_removed_meanwhile_in_another_browser(person, page, passkey, alice):
    give_app(alice)
    log_in(page, person)
    expect(page).to_have_url(VERIFY)
    Passkey.objects.all().delete()
    page.get_by_role("button", name="Use a passkey").click()
    # Not asked for any more: the browser may offer it nevertheless, and the site refuses it.
    expect(page.get_by_text(re.compile(f"{NO_PASSKEY}|{REFUSED}"))).to_be_visible()
    expect(page).to_have_url(VERIFY)


def test_cancelled_and_tried_again(page, passkey, phone):
    phone.verify(False)  # the wrong finger
    log_in_with_passkey(page)
    expect(page.get_by_role("alert").filter(has_text=NO_PASSKEY)).to_be_visible()
    expect(page).to_have_url("/login/")
    phone.verify(True)
    page.get_by_role("button", name="Log in with a passkey").click()
    expect_logged_in(page)


@pytest.fixture
def asked(page):
    """The requests for a challenge so far."""
    asked = []

    def listen(request):
        if request.url.endswith("/passkey/options/"):
            asked.append(request)

    page.on("request", listen)
    return asked


def test_double_click_asks_once(page, passkey, asked):
    page.goto("/login/")
    button = page.get_by_role("button", name="Log in with a passkey")
    button.evaluate("button => { button.click(); button.click(); }")
    expect_logged_in(page)
    assert len(asked) == 1


def test_answer_is_sent_once_and_the_next_click_asks_anew(page, passkey, asked):
    page.route("**/login/passkey/", lambda route: route.fulfill(status=204))  # the page stays
    page.goto("/login/")
    button = page.get_by_role("button", name="Log in with a passkey")
    with page.expect_request("**/login/passkey/"):
        button.click()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow'))")  # as Back does
    page.unroute("**/login/passkey/")
    button.click()
    expect_logged_in(page)
    assert len(asked) == 2


def test_page_of_another_origin_gets_no_passkey(page, passkey, live_server, settings):
    settings.ALLOWED_HOSTS = ["*"]
    log_in_with_passkey(page, live_server.url.replace("localhost", "127.0.0.1") + "/login/")
    expect(page.get_by_role("alert").filter(has_text=NO_PASSKEY)).to_be_visible()


def test_browser_without_passkeys_says_so(page):
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto("/login/")
    expect(page.get_by_text("This browser knows no passkeys.")).to_be_visible()
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()


def test_recovery_code_leads_to_new_ones_which_can_wait(person, page, passkey, alice):
    codes = give_codes(alice)
    log_in(page, person, "/account/")
    type_code(page, codes[0].lower().replace("-", " "))
    expect(page).to_have_url("/account/security/codes/?next=/account/")
    expect(page.get_by_text("9 are left")).to_be_visible()
    page.get_by_role("link", name="Later").click()
    expect_logged_in(page, "/account/")


def test_recovery_code_works_once(person, page, passkey, alice):
    codes = give_codes(alice)
    RecoveryCode.objects.filter(user=alice).delete()
    log_in(page, person)
    type_code(page, codes[0])
    expect(page.locator(".invalid-feedback")).to_be_visible()
    expect_logged_out(page)


def test_last_recovery_code_leads_to_new_ones_which_cannot_wait(person, page, passkey, alice):
    codes = give_codes(alice)
    RecoveryCode.objects.filter(pk__in=RecoveryCode.objects.values("pk")[1:]).delete()
    log_in(page, person)
    for code in codes:
        type_code(page, code)
        if CODES.search(page.url):
            break
    expect(page).to_have_url(CODES)
    expect(page.get_by_role("link", name="Later")).to_have_count(0)
    page.goto("/account/")
    expect(page).to_have_url(CODES)


# The proof that it is still you


def test_proof_with_a_passkey_leads_back_to_where_one_was(page, passkey, settings, theme, width):
    log_in_with_passkey(page)
    expect_logged_in(page)
    settings.PROOF_SECONDS = 0
    page.goto("/account/email/")
    expect(page).to_have_url("/account/confirm/?next=/account/email/")
    settings.PROOF_SECONDS = 15 * 60
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url("/account/email/")
    expect(page.get_by_label("New email")).to_be_visible()


def test_passkey_whose_proof_ran_out_is_asked_for_it_first(person, page, alice, phone, settings):
    log_in(page, person, "/account/security/passkeys/add/")
    expect(page.get_by_role("button", name="Add a passkey")).to_be_visible()
    settings.PROOF_SECONDS = 0
    page.get_by_role("button", name="Add a passkey").click()
    expect(page).to_have_url(CONFIRM)
    expect(page.get_by_text("Nothing has been changed.")).to_be_visible()
    assert phone.credentials() == []
    settings.PROOF_SECONDS = 15 * 60
    page.get_by_label("Current password").fill(person.PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url("/account/security/passkeys/add/")


def test_form_of_the_admin_keeps_its_text_until_the_proof_is_given(person, page, settings):
    page.goto("/admin/")
    person.log_in("carol@example.com")
    page.goto("/admin/auth/group/add/")
    page.get_by_label("Name").fill("Editors, of a long text")
    settings.ADMIN_PROOF_SECONDS = 0
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Show that it is still you").click()
    tab = opened.value
    tab.get_by_label("Current password").fill(person.PASSWORD)
    tab.get_by_role("button", name="Confirm").click()
    expect(tab).to_have_url("/account/")
    settings.ADMIN_PROOF_SECONDS = 60 * 60
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("Editors, of a long text")).not_to_have_count(0)
    expect(page).to_have_url("/admin/auth/group/")


# With the keyboard alone


def tab_to(page, target):
    """Press Tab until `target` has the focus."""
    for _ in range(30):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab does not lead there.")


def test_keyboard_alone_logs_in_with_a_passkey(page, passkey):
    page.goto("/login/")
    expect(page.get_by_label("Email")).to_be_focused()
    tab_to(page, page.get_by_role("button", name="Log in with a passkey"))
    page.keyboard.press("Enter")
    expect_logged_in(page)


def test_keyboard_alone_types_a_code(person, page, passkey, alice):
    app = give_app(alice)
    log_in(page, person)
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(show_code(app))
    page.keyboard.press("Enter")
    expect_logged_in(page)


def test_keyboard_alone_uses_a_passkey_after_the_password(person, page, passkey):
    log_in(page, person)
    button = page.get_by_role("button", name="Use a passkey")
    expect(page.get_by_label("Code")).to_be_focused()
    for _ in range(10):
        if button.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect_logged_in(page)
