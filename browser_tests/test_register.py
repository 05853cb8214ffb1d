from playwright.sync_api import expect

from users.models import User


def fill_in(page):
    page.goto("/register/")
    page.get_by_label("Username").fill("Dave")
    page.get_by_label("Email").fill("dave@example.com")
    page.get_by_label("Password", exact=True).fill("an unusual sentence")
    page.get_by_label("Password confirmation").fill("an unusual sentence")


def test_double_click_makes_one_user_and_no_error(page):
    fill_in(page)
    page.get_by_role("button", name="Sign Up").dblclick()
    expect(page.get_by_text("Your account has been created!")).to_be_visible()
    assert User.objects.filter(username="Dave").count() == 1


def test_form_can_be_sent_again_after_the_back_button(page):
    page.goto("/register/")
    page.get_by_role("button", name="Sign Up").click()
    page.goto("/about/")
    page.go_back()
    page.get_by_role("button", name="Sign Up").click()
    expect(page.get_by_text("This field is required.")).to_have_count(4)
