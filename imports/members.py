"""Importing users."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from users.models import User
from users.usernames import (
    fold_username,
    skeleton,
    validate_not_confusable,
    validate_not_reserved,
)

from .importer import CLASHES, HERE, NEW, UNSTORABLE, Importer, wrong
from .sources import clean_date

USERNAME, EMAIL = User._meta.get_field("username"), User._meta.get_field("email")


class Members(Importer):
    """
    Imports users, by the rules for those who register, as if they did so one by one.

    `clean_hash` returns a password's hash as Django stores it, or raises ValidationError.
    `pictures` are the Pictures of the source.
    """

    table = "user"

    def __init__(self, source, clashes, clean_hash, pictures):
        super().__init__(source, clashes)
        self.clean_hash, self.pictures = clean_hash, pictures
        self.names, self.emails = {}, {}  # whose row of the source has them
        self.pks = {}  # by row: of who is here, None of who is new
        self.clashed = set()  # rows
        self.now = timezone.now()
        self.validators = {
            "username": validate_username,
            "email": validate_email,
            "password": clean_hash,
            "date_joined": self.clean_date_joined,
        }

    def rows(self):
        return self.source.users()

    def look_up(self, batch):
        rows = [row for row in batch if not UNSTORABLE.search(row.username + row.email)]
        names = {row.username for row in rows}
        names = {fold_username(name) for name in names | {skeleton(name) for name in names}}
        emails = {User.objects.normalize_email(row.email) for row in rows}
        found = User.objects.filter(Q(username_folded__in=names) | Q(email__in=emails))
        found = list(found.values_list("username_folded", "email", "pk"))
        self.here = {(name, email): pk for name, email, pk in found}
        self.names_here = {name for name, email, pk in found}
        self.emails_here = {email for name, email, pk in found}

    def judge(self, row):
        name, email = fold_username(row.username), User.objects.normalize_email(row.email)
        problems = self.twice(name, email)
        # Whoever has both is the same person. What they changed here since stays as it is.
        pk = self.here.get((name, email))
        if pk is None:
            problems += self.taken(row.username, name, email) + wrong(row, self.validators)
        for field, words in problems:
            shown = row.email if field == "email" else row.username
            self.clashes.add(self.table, row.row, shown, f"{field}: {words}")
        if problems:
            self.clashed.add(row.row)
            return CLASHES
        self.names[name] = self.emails[email] = row.row
        self.pks[row.row] = pk
        if pk is None:
            self.check_picture(row)
        return NEW if pk is None else HERE

    def twice(self, name, email):
        """Return what is wrong with `name` and `email` because earlier rows have them."""
        found = [("username", self.names.get(name)), ("email", self.emails.get(email))]
        return [(field, f"row {row} has the same") for field, row in found if row is not None]

    def taken(self, username, name, email):
        """Return what is wrong with a user because of others, here or earlier in the source."""
        problems = []
        latin = fold_username(skeleton(username))
        if name in self.names_here:
            problems.append(("username", "somebody here has it, with another email"))
        elif latin != name and (latin in self.names or latin in self.names_here):
            problems.append(("username", "it looks like somebody else's"))
        if email in self.emails_here:
            problems.append(("email", "somebody here has it, under another username"))
        return problems

    def check_picture(self, row):
        """Prepare the picture of `row`. Where it is refused, the user is imported without."""
        try:
            self.pictures.prepare(row)
        except ValidationError as error:
            self.clashes.add(self.table, row.row, row.picture, f"picture: {error.message}")

    def store(self, batch):
        users = [
            User(
                username=row.username,
                email=User.objects.normalize_email(row.email),
                password=self.clean_hash(row.password),
                date_joined=self.clean_date_joined(row.date_joined),
            )
            for row in batch
        ]
        for row, user in zip(batch, users, strict=True):
            self.pictures.give(row, user)
        User.objects.bulk_create(users)
        self.pks.update((row.row, user.pk) for row, user in zip(batch, users, strict=True))

    def clean_date_joined(self, value):
        return self.now if value is None else clean_date(value)


def validate_username(value):
    """Raise ValidationError if nobody could register as `value`."""
    USERNAME.clean(value, None)
    if User.normalize_username(value) != value:
        raise ValidationError("This site would write it with other letters.")
    validate_not_confusable(value)
    validate_not_reserved(value)


def validate_email(value):
    """Raise ValidationError unless `value` is an address, as it would be stored here."""
    EMAIL.clean(User.objects.normalize_email(value), None)
