"""Passwords that are refused, beside those that Django refuses."""

import re

from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    get_default_password_validators,
)
from django.core.exceptions import ValidationError

from users.usernames import fold_username


def help_in_a_sentence():
    """Return what AUTH_PASSWORD_VALIDATORS ask for, in a sentence, and the least length."""
    validators = get_default_password_validators()
    lengths = [each.min_length for each in validators if isinstance(each, MinimumLengthValidator)]
    least = max([1, *lengths])
    return (
        f"At least {least} characters, and not easily guessed: no common password, and not your"
        " name, your email or the name of this site.",
        least,
    )


class ContextWordsValidator:
    """
    Refuses a password that is little more than the site's name or its owner's (ASVS 6.2.11).

    `min_length` letters and digits must be left without the words of `names`, of the username, and
    of the email but for its ".com".
    """

    WORD = re.compile(r"[^\W_]{4,}")  # "Ann" is in "annual", too

    def __init__(self, names, min_length=8):
        self.words = self.WORD.findall(fold_username(" ".join(names)))
        self.min_length = min_length

    def validate(self, password, user=None):
        """Raise ValidationError if `password`, to be `user`'s, is refused."""
        if len(password) > 100:
            return  # enough of anything, and folding a megabyte of accents takes minutes
        words = {*self.words}
        if user:
            own = fold_username(f"{user.username} {user.email.rpartition('.')[0]}")
            words.update(self.WORD.findall(own))
        password = fold_username(password)
        rest = password
        for word in sorted(words, key=len, reverse=True):
            rest = rest.replace(word, "")
        letters = re.sub(r"[\W_]", "", rest)  # "Django Blog 2026!!" is the name and a year
        if rest != password and len(letters) < self.min_length:
            raise ValidationError(
                "The password is little more than the name of this site or your own.",
                code="context_words",
            )

    def get_help_text(self):
        return "Your password can’t be little more than the name of this site or your own."
