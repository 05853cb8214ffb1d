"""A form whose answer does not come: Stop was pressed."""

import pytest
from playwright.sync_api import expect

from users.models import User


class Form:
    """
    The sign-up, filled in, which is answered once `answered` is true.

    Spoken to past Playwright, which would wait for the answer; so would Chromium's own tools with
    all but `stop`. So what they find out, they find out in one go.
    """

    def __init__(self, page):
        self.page, self.posts, self.answered = page, 0, False
        page.route("**/*", self.handle)
        page.goto("/register/")
        page.get_by_label("Username").fill("Dave")
        page.get_by_label("Email").fill("dave@example.com")
        page.get_by_label("Password", exact=True).fill("an unusual sentence")
        page.get_by_label("Password confirmation").fill("an unusual sentence")
        self.devtools = page.context.new_cdp_session(page)

    def handle(self, route):
        self.posts += route.request.method == "POST"
        if route.request.method != "POST" or self.answered:
            route.continue_()

    def send(self, clicks=1):
        """Click; return whether the button shows then that it is at work."""
        at_work = self.run("button.click();" * clicks + "button.ariaBusy")
        self.page.wait_for_timeout(300)  # milliseconds
        return at_work == "true"

    def stop(self):
        """Press Stop; return whether the button goes on showing that it is at work."""
        self.devtools.send("Page.stopLoading")
        self.page.wait_for_timeout(300)  # milliseconds
        return self.run("button.ariaBusy") == "true"

    def run(self, script):
        script = f"{{const button = document.querySelector('main [type=submit]'); {script}}}"
        answer = self.devtools.send("Runtime.evaluate", {"expression": script})
        return answer["result"].get("value")


@pytest.fixture
def form(page):
    """The form of a page that was just opened."""
    return Form(page)


def assert_signed_up(page):
    expect(page.get_by_text("Your account has been created!")).to_be_visible()
    assert User.objects.filter(username="Dave").count() == 1


def test_button_shows_that_it_is_at_work_and_a_second_click_does_nothing(form):
    assert form.run("button.ariaBusy") is None
    assert form.send(clicks=2)
    form.stop()
    assert form.posts == 1


def test_form_can_be_sent_again_after_stop(form, page):
    assert form.send()
    assert not form.stop()
    form.answered = True
    form.send()
    assert_signed_up(page)
    assert form.posts == 2


def test_form_can_be_sent_again_in_a_browser_that_does_not_say_it_stopped(page):
    page.add_init_script("Object.defineProperty(window, 'navigation', {value: undefined})")
    form = Form(page)
    assert form.send()
    assert form.stop()
    page.wait_for_timeout(5000)  # milliseconds
    form.answered = True
    form.send()
    assert_signed_up(page)
