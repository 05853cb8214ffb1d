"""
What a username may look like: what is allowed, reserved, or confusable with somebody else's.

Letters of two alphabets in one name are refused. A name all in Cyrillic or Greek is read as the
Latin one that it looks like, which nobody may have yet; and what reads like a reserved name is
reserved. The terms are those of Unicode's Technical Standard 39.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError

# Letters, the marks that many scripts write their vowels with, and digits: "LetterDigits" of
# RFC 8264, section 9.1.
LETTER_MARK_DIGIT = {"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"}
# Letters and marks among them that draw nothing, so that two names would look like one
# (Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt).
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# Names that would pass for the people who run the site, for a part of it, or for nobody.
RESERVED = """
    abuse account accounts admin administrator anonymous api blog contact deleted django
    djangoblog everybody everyone ftp help helpdesk home hostmaster info login logout mail
    mailerdaemon media mod moderator moderators newsletter nobody noreply null official owner
    password postmaster register root security settings signup staff static superuser support
    sysadmin system team undefined unknown webmaster www you
"""
# Letters and digits that are read as another letter there, beside accents and small capitals.
RESERVED_CONFUSABLES = str.maketrans("01lıɑɡ", "oiiiag")
RESERVED_SKELETONS = set(RESERVED.translate(RESERVED_CONFUSABLES).split())

# The scripts in everyday use: Unicode's Standard Annex 31, table 5. Of the others, some look like
# Latin throughout (Lisu, Cherokee).
RECOMMENDED = """
    ARABIC ARMENIAN BENGALI BOPOMOFO CJK CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI
    GURMUKHI HANGUL HEBREW HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA
    SINHALA TAMIL TELUGU THAANA THAI TIBETAN
"""
SCRIPTS = set(RECOMMENDED.split())
# Japanese, Chinese and Korean are written in more than one: the "highly restrictive" level of
# Technical Standard 39, section 5.2.
WRITTEN_TOGETHER = [
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
]
# Pairs of a Cyrillic or Greek letter and the Latin one that it looks like.
CONFUSABLES = """
    аa сc ԁd еe һh іi јj ӏl оo рp ԛq ѕs ԝw хx уy ѵv
    АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT ХX УY ԚQ ԜW
    οo νv ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX
"""
TO_LATIN = str.maketrans(dict(CONFUSABLES.split()))


def fold_username(username):
    """Return `username` as it is compared: `Corey`, `COREY` and `ｃｏｒｅｙ` are one name."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return unicodedata.normalize("NFKC", folded)


def skeleton(username):
    """Return the username that `username` looks like in Latin letters: itself, if it is Latin."""
    return username.translate(TO_LATIN)


def validate_username(value):
    """Raise ValidationError unless `value` is made of letters, digits, `_`, `.` and `-` alone."""
    allowed = all(
        char in "_.-" or unicodedata.category(char) in LETTER_MARK_DIGIT for char in value
    )
    # A mark at the start would be drawn onto the character before the name.
    starts_with_mark = unicodedata.category(value[:1] or "_").startswith("M")
    if not allowed or starts_with_mark or INVISIBLE.search(value):
        raise ValidationError(
            "Please use only letters, digits, “_”, “.” and “-”.", code="invalid_username"
        )


def validate_not_reserved(value):
    """Raise ValidationError if the username `value` reads like a reserved one."""
    letters = unicodedata.normalize("NFKD", fold_username(skeleton(value)))
    names = [unicodedata.name(char, "") for char in letters.translate(RESERVED_CONFUSABLES)]
    # "LATIN SMALL LETTER A", or "LATIN LETTER SMALL CAPITAL A"; signs and accents drop out.
    found = [re.fullmatch("LATIN .*(?:LETTER|CAPITAL) ([A-Z])", name) for name in names]
    if "".join(match[1] for match in found if match).lower() in RESERVED_SKELETONS:
        raise ValidationError(
            "That username is reserved. Please choose a different one.", code="reserved"
        )


def validate_not_confusable(value):
    """Raise ValidationError if letters of the username `value` pass for another alphabet's."""
    scripts = {script(char) for char in fold_username(value)} - {None}
    together = len(scripts) < 2 or any(scripts <= group for group in WRITTEN_TOGETHER)
    # A second dot on an i is drawn onto the first (Technical Standard 39, section 5.4).
    second_dot = re.search("[ij]\u0307", value, re.IGNORECASE)
    if not together or not scripts <= SCRIPTS or second_dot:
        raise ValidationError(
            "Please use letters of one alphabet that cannot be mistaken for another’s.",
            code="confusable",
        )


def script(char):
    """Return the script of a letter or digit, such as "LATIN", or None for what all scripts use."""
    if char in "0123456789" or unicodedata.category(char) not in {"Ll", "Lu", "Lo", "Nd"}:
        return None
    # Python knows no scripts, but the names of the characters begin with them.
    return re.match("(?:EXTENDED )?([A-Z]+)", unicodedata.name(char, "UNNAMED"))[1]
