"""What a username and an e-mail address may look like."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

# Letters, the marks that many scripts write their vowels with, and digits: "LetterDigits" of
# RFC 8264, section 9.1.
LETTER_MARK_DIGIT = {"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"}

# Letters and marks among them that draw nothing, so that two names would look like one
# (Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt).
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def fold_username(username):
    """Return `username` as it is compared: `Corey`, `COREY` and `ｃｏｒｅｙ` are one name."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return unicodedata.normalize("NFKC", folded)


def validate_username(value):
    """Raise ValidationError unless `value` is made of letters, digits, `_`, `.` and `-` alone."""
    allowed = all(
        char in "_.-" or unicodedata.category(char) in LETTER_MARK_DIGIT for char in value
    )
    # A mark at the start would be drawn onto whatever stands before the name.
    starts_with_mark = unicodedata.category(value[:1] or "_").startswith("M")
    if not allowed or starts_with_mark or INVISIBLE.search(value):
        raise ValidationError(
            "Please use only letters, digits, “_”, “.” and “-”.", code="invalid_username"
        )


# EmailField already refuses what is no address. This refuses the rest of what browsers do not
# take in <input type="email">, with which nobody could log in: "quoted"@x.org, a@[127.0.0.1],
# letters that only look like a to z; and addresses without a dot, which no mail from outside
# reaches.
validate_public_email = RegexValidator(
    r"\A[!#-?A-~]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+\Z",
    message="Enter a valid email address.",
    code="invalid",
)
