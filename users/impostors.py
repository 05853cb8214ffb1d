"""
Usernames that pose as somebody else's: no stranger may take one.

Letters of two alphabets in one name are refused. A name all in Cyrillic or Greek is read as the
Latin one that it looks like, which nobody may have yet; and what reads like a reserved name is
reserved.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError

from .validators import fold_username

# Names that would pass for the people who run the site, for a part of it, or for nobody.
RESERVED = """
    abuse account accounts admin administrator anonymous api blog contact deleted django
    djangoblog everybody everyone ftp help helpdesk home hostmaster info login logout mail
    mailerdaemon media mod moderator moderators newsletter nobody noreply null official owner
    password postmaster register root security settings signup staff static superuser support
    sysadmin system team undefined unknown webmaster www you
"""
# What passes for another letter in them, beside accents and small capitals.
TWINS = str.maketrans("01lıɑɡ", "oiiiag")
RESERVED_TWINS = set(RESERVED.translate(TWINS).split())

# The scripts in everyday use: Unicode's Standard Annex 31, table 5. Of the others, some look like
# Latin throughout (Lisu, Cherokee).
EVERYDAY = """
    ARABIC ARMENIAN BENGALI BOPOMOFO CJK CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI
    GURMUKHI HANGUL HEBREW HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA
    SINHALA TAMIL TELUGU THAANA THAI TIBETAN
"""
SCRIPTS = set(EVERYDAY.split())
# Japanese, Chinese and Korean are written in more than one: the "highly restrictive" level of
# Unicode's Technical Standard 39, section 5.2.
WRITTEN_TOGETHER = [
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
]
# Pairs of a Cyrillic or Greek letter and the Latin one that it looks like.
PAIRS = """
    аa сc ԁd еe һh іi јj ӏl оo рp ԛq ѕs ԝw хx уy ѵv
    АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT ХX УY ԚQ ԜW
    οo νv ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX
"""
LOOK_LATIN = str.maketrans(dict(PAIRS.split()))


def latin_twin(value):
    """Return the username that `value` looks like to who reads Latin: `value` itself, if it is."""
    return value.translate(LOOK_LATIN)


def validate_not_reserved(value):
    """Raise ValidationError if the username `value` reads like a reserved one."""
    letters = unicodedata.normalize("NFKD", fold_username(latin_twin(value))).translate(TWINS)
    names = [unicodedata.name(char, "") for char in letters]
    # "LATIN SMALL LETTER A", or "LATIN LETTER SMALL CAPITAL A"; signs and accents drop out.
    found = [re.fullmatch("LATIN .*(?:LETTER|CAPITAL) ([A-Z])", name) for name in names]
    if "".join(match[1] for match in found if match).lower() in RESERVED_TWINS:
        raise ValidationError(
            "That username is reserved. Please choose a different one.", code="reserved"
        )


def validate_no_look_alike(value):
    """Raise ValidationError if letters of the username `value` pass for another alphabet's."""
    scripts = {script(char) for char in fold_username(value)} - {None}
    together = len(scripts) < 2 or any(scripts <= group for group in WRITTEN_TOGETHER)
    # A second dot on an i is drawn onto the first (Technical Standard 39, section 5.4).
    second_dot = re.search("[ij]\u0307", value, re.IGNORECASE)
    if not together or not scripts <= SCRIPTS or second_dot:
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
