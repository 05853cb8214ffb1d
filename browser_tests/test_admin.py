"""What staff do in the admin, under the same Content-Security-Policy as everybody."""

import pytest
from playwright.sync_api import expect

from blog.models import Post


@pytest.fixture
def carol(person, page):
    """Carol, logged in and in the admin."""
    page.goto("/admin/")
    person.log_in("carol@example.com")
    expect(page).to_have_url("/admin/")
    return person


def test_inspect_a_user(carol, page):
    page.goto("/admin/users/user/")
    page.get_by_role("link", name="Alice", exact=True).click()
    expect(page.get_by_text("bcrypt_sha256")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value("alice@example.com")


def test_write_a_post_in_the_name_of_another(carol, page):
    page.goto("/admin/blog/post/add/")
    page.get_by_label("Title").fill("News")
    page.get_by_label("Content").fill("Text")
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("ali")
    page.get_by_role("option", name="Alice").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert Post.objects.get(title="News").author.username == "Alice"
