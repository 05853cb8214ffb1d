"""The whole account flow, as a person goes through it on a phone and at a desk."""

from playwright.sync_api import expect

from blog.models import Post
from users.models import User

CREATED = "Your account has been created! You are now able to log in"
UNSUCCESSFUL = "Login Unsuccessful. Please check email and password"
PLEASE_LOG_IN = "Please log in to access this page."


def test_register(person, page, theme, width):
    page.goto("/")
    person.navigate("Register")
    expect(page).to_have_title("Django Blog - Register")

    person.register()
    expect(page.get_by_text("This field is required.")).to_have_count(4)
    expect(page.get_by_label("Username")).to_be_focused()

    person.register("alice", "Alice@Example.com", "an unusual sentence")
    expect(page.get_by_text("That username is taken.")).to_be_visible()
    expect(page.get_by_text("That email is taken.")).to_be_visible()

    person.register("Dave", "dave@example.com", "an unusual sentence", "another one")
    expect(page.get_by_text("The two password fields didn’t match.")).to_be_visible()
    assert not User.objects.with_username("Dave").exists()

    person.register("Dave", "dave@example.com", "an unusual sentence")
    expect(page).to_have_url("/login/")
    expect(page.get_by_text(CREATED)).to_have_class("alert alert-success")
    user = User.objects.get(email="dave@example.com")
    assert user.password.startswith("bcrypt_sha256$")

    expect(page.get_by_label("Email")).to_have_value("dave@example.com")
    expect(page.get_by_label("Password")).to_be_focused()
    person.log_in("dave@example.com", "an unusual sentence")
    expect(page).to_have_url("/")


def test_log_in_and_out(person, page, theme, width):
    page.goto("/")
    person.navigate("Login")
    person.log_in(password="wrong")
    expect(page.get_by_text(UNSUCCESSFUL)).to_be_visible()
    expect(page).to_have_url("/login/")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()

    person.log_in()
    expect(page).to_have_url("/")
    for url in ["/login/", "/register/"]:
        page.goto(url)
        expect(page).to_have_url("/")

    person.navigate("Account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alice")
    person.navigate("Logout")
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.goto("/account/")
    expect(page).to_have_url("/login/?next=/account/")


def test_guarded_page(person, page, theme, width):
    page.goto("/account/")
    expect(page.get_by_text(PLEASE_LOG_IN)).to_have_class("alert alert-info")
    person.log_in(password="wrong")
    person.log_in()
    expect(page).to_have_url("/account/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alice")

    page.goto("/logout/")
    page.get_by_role("main").get_by_role("button", name="Logout").click()
    expect(page).to_have_url("/")
    page.goto("/login/")
    expect(page.get_by_text(PLEASE_LOG_IN)).to_have_count(0)


def test_read(person, page, theme, width):
    page.goto("/home/")
    expect(page).to_have_url("/")
    expect(page.get_by_role("article")).to_have_count(10)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("article").get_by_role("link", name="Alice").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Alice")
    page.get_by_role("link", name="Calendars").click()
    person.navigate("About")
    expect(page.get_by_role("heading", level=1)).to_have_text("About")


def test_write(person, page, theme, width):
    page.goto("/post/new/")
    person.log_in()
    page.get_by_label("Title").fill("My first post")
    page.get_by_label("Content").fill("Some **bold** words.")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview").locator("strong")).to_have_text("bold")
    assert not Post.objects.filter(title="My first post").exists()
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Your post has been created!")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("My first post")

    page.get_by_role("link", name="Update").click()
    page.get_by_label("Content").fill("Other words.")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_text("Your post has been updated!")).to_be_visible()
    expect(page.get_by_text("Other words.")).to_be_visible()

    page.get_by_role("link", name="Delete").click()
    page.get_by_role("main").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Your post has been deleted!")).to_be_visible()
    assert not Post.objects.filter(title="My first post").exists()
