"""What the Content-Security-Policy keeps script from; what pages need it for, every test shows."""

import pytest

MAKE_HTML = """() => {
    try {
        document.createElement("p").innerHTML = "<b>typed</b>";
    } catch (error) {
        return error.name;
    }
}"""


@pytest.fixture
def nothing_is_refused():
    """Not here: refusing is the point."""


def test_script_makes_no_html_of_text(page):
    page.goto("/login/")
    assert page.evaluate(MAKE_HTML) == "TypeError"


def test_but_in_the_admin_where_jquery_does(person, page):
    page.goto("/admin/")
    person.log_in("carol@example.com")
    page.wait_for_url("/admin/")
    assert page.evaluate(MAKE_HTML) is None
