"""What people do on the site, in their words."""


class Person:
    """Somebody at a browser whose `page` is on the site."""

    PASSWORD = "correct horse battery"

    def __init__(self, page):
        self.page = page

    def navigate(self, name):
        """Click `name` in the navigation bar, part of which a narrow window keeps in a menu."""
        bar = self.page.get_by_role("navigation", name="Main")
        target = bar.get_by_text(name, exact=True).locator("visible=true")
        if not target.count():
            bar.get_by_label("Menu").click()
        target.click()

    def register(self, username="", email="", password="", again=None):
        """Fill in the register form, on which the page is, and send it."""
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_label("Password confirmation").fill(password if again is None else again)
        self.page.get_by_role("button", name="Sign Up").click()

    def log_in(self, email="alice@example.com", password=PASSWORD, remember=False):
        """Fill in the login form, on which the page is, and send it."""
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_label("Remember Me").set_checked(remember)
        self.page.get_by_role("button", name="Login", exact=True).click()
