"""A site under attack: what anybody can do with it, and what is looked up behind its back."""

import re
import sqlite3
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from email import message_from_string
from email.policy import default
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from bench import sites
from bench.content import PASSWORD
from testing.client import Client, at_once
from testing.servers import manage

COUNTING = Path(__file__).parent / "counting"
NEW_PASSWORD = "another unusual sentence"
GIVE_FACTORS = """
from testing.cast import give_codes
from users import second_factor
from users.models import AuthenticatorApp, User
from django.utils import timezone
user = User.objects.get(email="{email}")
user.email_confirmed_at, user.is_staff = timezone.now(), {staff}
user.save()
secret = second_factor.new_secret()
AuthenticatorApp.objects.create(user=user, secret=secret, last_step=0, added=timezone.now())
{more}
print(second_factor.read_secret(secret).hex(), *give_codes(user))
"""


class Target:
    """
    One of the sites, with 200 members of one password (bench/fill.py).

    `has` says what there is to attack: reset, change (of a password), factors, pictures. Each
    attack takes members and places that no other takes, so that no limit that one meets stands
    before the next.
    """

    def __init__(self, site, folder, title, has):
        self.site, self.title, self.has = site, title, has
        self.name, self.port, self.server = site.name, site.port, site.server
        self.login, (self.account, _) = site.login, site.paths["account"]
        self.slash = "" if self.name == "flask" else "/"
        self.folder, self.ours = folder, self.name == "ours"
        self.members, self.places = count(100), count(1)  # storms take the first hundred
        self.table = {"ours": "users_user", "stock": "stock_peer_user", "flask": "user"}[self.name]
        self.reset = "/password-reset/" if self.ours else "/password_reset/"

    def member(self):
        """Return the email of a member whom no other attack knows; the username is before the @."""
        return f"user{next(self.members)}@example.com"

    def place(self):
        """Return an IP from which nothing has come yet, as the proxy of the site would tell it."""
        number = next(self.places)
        return f"198.18.{number // 250}.{number % 250 + 1}"

    def tries(self, number):
        """Return how often to try what a limit may stop: of a site without one, twelve tell all."""
        return number if self.ours else min(number, 12)

    # What anybody can do

    def stranger(self, place=None):
        return Client(self.port, place or self.place())

    def log_in(self, client, email, password=PASSWORD, query=""):
        """Return the answer to a login; 302 is a success."""
        path = f"{self.login}{query}"
        client.read_form(path)
        return client.post(path, **{self.site.email_field: email, "password": password})

    def logged_in(self, email, password=PASSWORD, place=None):
        """Return a Client with which the member is logged in."""
        client = self.stranger(place)
        self.log_in(client, email, password)
        if not self.is_in(client):
            raise RuntimeError(f"{self.name}: {email} could not log in.")
        return client

    def is_in(self, client):
        """Return whether a page for members opens."""
        return client.get(self.account).status == 200

    def guess(self, guesses):
        """
        Try `guesses`, of (place, email), with a wrong password each, eight at once.

        Return how many there were, how many passwords were hashed, a Counter of the statuses, and
        the seconds that it took.
        """
        todo, before, start = list(enumerate(guesses)), self.hashes(), time.monotonic()

        def work(index):
            client, statuses = self.stranger(), []
            client.read_form(self.login)
            for number, (place, email) in todo[index::8]:
                client.ip = place
                fields = {self.site.email_field: email, "password": f"a guess: {number}"}
                statuses.append(client.post(self.login, **fields).status)
            return statuses

        statuses = Counter(sum(at_once(8, work), []))
        return len(todo), self.hashes() - before, statuses, time.monotonic() - start

    def register_fields(self, username, email, password=PASSWORD):
        names = ["password", "confirm_password"]
        if self.name != "flask":
            names = ["password1", "password2"]
        return {"username": username, "email": email, **dict.fromkeys(names, password)}

    def register(self, client, **who):
        """Return the answer to a sign-up; 302 is a success."""
        path = f"/register{self.slash}"
        if client.token is None:
            client.read_form(path)
        return client.post(path, **self.register_fields(**who))

    def ask_reset(self, client, email):
        client.read_form(self.reset)
        return client.post(self.reset, email=email)

    def open_reset(self, client, link):
        """Return where the link of a reset leads: the path of the form, or None if it is dead."""
        answer = client.get(link)
        path = location(answer)
        if answer.status != 302 or b"new_password1" not in client.get(path).body:
            return None
        client.read_form(path)
        return path

    def use_reset(self, client, link, password=NEW_PASSWORD):
        """Set `password` with the link of a reset."""
        path = self.open_reset(client, link)
        client.post(path, new_password1=password, new_password2=password)

    # What is behind the site

    def rows(self, sql, *values):
        """Return what `sql` finds, or change what it changes; {users} is the table of members."""
        database = sqlite3.connect(f"{self.folder}/{self.name}.sqlite3", timeout=20)
        try:
            with database:
                return database.execute(sql.format(users=f'"{self.table}"'), values).fetchall()
        finally:
            database.close()

    def hashes(self):
        """Return how many passwords the site has hashed."""
        file = Path(f"{self.folder}/{self.name}.hashes")
        return file.stat().st_size if file.exists() else 0

    def mails(self, email):
        """Return the mails to `email` as texts, the oldest first."""
        files = Path(f"{self.folder}/{self.name}-mails").glob("*.log")
        oldest_first = sorted(files, key=lambda file: file.stat().st_mtime_ns)
        mails = "".join(file.read_text() for file in oldest_first).split("-" * 79)
        return [mail for mail in mails if f"To: {email}\n" in mail]

    def links(self, email):
        """Return the URLs in the mails to `email`."""
        mails = [message_from_string(mail.lstrip(), policy=default) for mail in self.mails(email)]
        text = "".join(mail.get_body(["plain"]).get_content() for mail in mails)
        return re.findall(r"https?://\S+", text)

    def reset_link(self, email):
        """Return the path of the newest link of a reset that was mailed to `email`."""
        paths = [urlsplit(link).path for link in self.links(email)]
        return [path for path in paths if re.search(r"/(password-)?reset/[^/]+/[^/]+/", path)][-1]

    def give_factors(self, email, staff=False, more=""):
        """Give a member an app and recovery codes; return what shows the app's codes, and those."""
        code = GIVE_FACTORS.format(email=email, staff=staff, more=more)
        environment = self.server.environment
        printed = manage(environment, "shell", "--verbosity=0", "--command", code)
        secret, *codes = printed.split()
        app = TOTP(bytes.fromhex(secret), 6, SHA1(), 30)
        return lambda steps=0: app.generate(time.time() + 30 * steps).decode(), codes

    def give_code(self, client, code):
        """Return the answer to the second step of a login."""
        client.read_form("/login/verify/")
        return client.post("/login/verify/", code=code)


def location(answer):
    """Return what the header Location says, as text, or an empty one."""
    found = re.search(rb"(?im)^location: *([^\r\n]*)", answer.head)
    return found[1].decode() if found else ""


@contextmanager
def ours(folder):
    """Start this site as it is shipped, with all its limits, and hand out its Target."""
    own = {"EMAIL_URL": f"filemail:///{folder}/ours-mails", "MEDIA_ROOT": f"{folder}/ours-media"}
    own |= {"SECOND_FACTOR_REQUIRED": "staff", **counting(folder, "ours")}
    with sites.ours(folder, limits={}, **own) as site:
        yield Target(site, folder, "this site", {"reset", "change", "factors", "pictures"})


@contextmanager
def all_three(folder):
    """Start the site and its peers side by side, and hand out their Targets, ours first."""
    mails = {"MAILS": f"{folder}/stock-mails"}
    with ExitStack() as stack:
        first = stack.enter_context(ours(folder))
        flask = stack.enter_context(sites.flask(folder, **counting(folder, "flask")))
        stock = stack.enter_context(sites.stock(folder, **mails, **counting(folder, "stock")))
        yield [
            first,
            Target(flask, folder, "the tutorial's Flask app", set()),
            Target(stock, folder, "stock Django", {"reset", "change"}),
        ]


def counting(folder, name):
    return {"PYTHONPATH": str(COUNTING), "HASHES": f"{folder}/{name}.hashes"}
