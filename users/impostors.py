"""Usernames that pose as somebody else's: no stranger may take one."""

import re
import unicodedata

from django.core.exceptions import ValidationError

from .validators import fold_username

# Names that would pass for the people who run the site, for a part of it, or for nobody.
NAMES = """
    abuse account accounts admin administrator anonymous api blog contact deleted django
    djangoblog everybody everyone ftp help helpdesk home hostmaster info login logout mail
    mailerdaemon media mod moderator moderators newsletter nobody noreply null official owner
    password postmaster register root security settings signup staff static superuser support
    sysadmin system team undefined unknown webmaster www you
"""
RESERVED = set(NAMES.split())

# Letters of more than one alphabet are what Japanese, Chinese and Korean are written in: the
# "highly restrictive" level of Unicode's Technical Standard 39, section 5.2.
WRITTEN_TOGETHER = [
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
]
# Cyrillic letters that look like Latin ones. A name of these alone looks like another name.
LOOK_LATIN = set("асԁеһіјӏорԛѕԝхуѵ")


def validate_not_reserved(value):
    """Raise ValidationError if the username `value`, whatever its case and signs, is reserved."""
    if re.sub("[_.-]", "", fold_username(value)) in RESERVED:
        raise ValidationError(
            "That username is reserved. Please choose a different one.", code="reserved"
        )


def validate_no_look_alike(value):
    """Raise ValidationError if letters of the username `value` pass for another alphabet's."""
    scripts = {script(char) for char in fold_username(value)} - {None}
    together = len(scripts) < 2 or any(scripts <= group for group in WRITTEN_TOGETHER)
    letters = {char for char in fold_username(value) if char.isalpha()}
    if not together or (letters and letters <= LOOK_LATIN):
        raise ValidationError(
            "Please use letters of one alphabet that cannot be mistaken for another’s.",
            code="look_alike",
        )


def script(char):
    """Return the script of a letter or digit, such as "LATIN", or None for what all scripts use."""
    if char in "0123456789" or unicodedata.category(char) not in {"Ll", "Lu", "Lo", "Nd"}:
        return None
    # Python knows no scripts, but the names of the characters begin with them.
    return re.match("(?:EXTENDED )?([A-Z]+)", unicodedata.name(char, "UNNAMED"))[1]
