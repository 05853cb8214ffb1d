"""Password hashes of other systems, as Django stores them."""

import re
from base64 import b64decode, b64encode

from django.core.exceptions import ValidationError

from users.hashers import BCRYPT_MIN_COST, ScryptPasswordHasher
from users.models import User

# What one login may cost: two seconds or so. A costlier hash would hold up everybody's.
MAX_BCRYPT_COST = 15
MAX_PBKDF2_ITERATIONS = 5_000_000
MAX_SCRYPT_WORK = 2**22  # n * r * p
PASSWORD_MAX_LENGTH = User._meta.get_field("password").max_length

# The last characters of salt and checksum hold fewer bits than the others. With a bit too many,
# bcrypt raises ValueError at login, or finds every password wrong.
BARE_BCRYPT = (
    r"(?P<bare>\$2[aby]\$(?P<cost>[0-9]{2})\$"
    r"[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26])"
)
NUMBER = "[0-9]{1,9}"
SALT = "(?P<salt>[ -#%-~]+)"
CHECKSUM = "(?P<checksum>[A-Za-z0-9+/]+=*)"
N_R_P = rf"(?P<n>{NUMBER}):(?P<r>{NUMBER}):(?P<p>{NUMBER})"

# The only words that messages repeat: any other may be from a password in plain text.
ALGORITHM = re.compile(
    r"\$?(argon2(?:id|i|d)?|bcrypt(?:_sha256)?|(?:unsalted_)?md5|(?:unsalted_)?sha1"
    r"|sha(?:224|256|384|512)|plain|scrypt|pbkdf2(?:[:_]\w+)?|crypt)[$:]"
    r"|(\$(?:1|2[abxy]?|5|6|y|apr1)\$)"
)


def from_flask_bcrypt(value, long_passwords=False):
    """
    Return the bcrypt hash `value` ("$2b$12$…") as Django stores it.

    With `long_passwords` it is of the password's SHA-256 in hexadecimal, as Flask-Bcrypt has it
    with BCRYPT_HANDLE_LONG_PASSWORDS, and Django in bcrypt_sha256. Raises ValidationError for
    every other hash.
    """
    if match := re.fullmatch(BARE_BCRYPT, value):
        return bcrypt("bcrypt_sha256" if long_passwords else "bcrypt", **match.groupdict())
    raise refused(value, "Hash that is not bcrypt")


def from_anywhere(value):
    """
    Return the hash `value` as Django stores it: bcrypt, and Django's and Werkzeug's own.

    Raises ValidationError, with the name of the algorithm, for what Django's hashers cannot
    verify.
    """
    for pattern, convert in FORMATS:
        if match := re.fullmatch(pattern, value):
            return convert(**match.groupdict())
    raise refused(value, "Hash that cannot be checked here")


def refused(value, words):
    """Return the ValidationError for a hash that is none of those known, with its algorithm."""
    if not value or value.startswith("!"):  # which is how Django writes that there is none
        return ValidationError("This account has no password.")
    match = ALGORITHM.match(value)
    name = match[1] or match[2] if match else "unknown"
    return ValidationError(f"{words}, or is damaged: {name}.")


def bcrypt(hasher, bare, cost):
    if not BCRYPT_MIN_COST <= int(cost) <= MAX_BCRYPT_COST:
        raise ValidationError(f"bcrypt of cost {cost}, not {BCRYPT_MIN_COST} to {MAX_BCRYPT_COST}.")
    return f"{hasher or 'bcrypt'}${bare}"


def pbkdf2(digest, iterations, salt, checksum):
    if not 1 <= int(iterations) <= MAX_PBKDF2_ITERATIONS:
        raise ValidationError(f"PBKDF2 of {iterations}, not 1 to {MAX_PBKDF2_ITERATIONS}, rounds.")
    checksum = in_base64(checksum, {"sha1": 20, "sha256": 32}[digest])
    return fitting(f"pbkdf2_{digest}${int(iterations)}${salt}${checksum}")


def scrypt(n, r, p, salt, checksum):
    n, r, p = int(n), int(r), int(p)
    # RFC 7914, section 2; and the bytes that OpenSSL reckons with.
    wrong = n < 2 or n & (n - 1) or n.bit_length() > 16 * r or p == 0
    memory = 128 * r * (n + p + 2)
    if wrong or memory > ScryptPasswordHasher.maxmem or n * r * p > MAX_SCRYPT_WORK:
        raise ValidationError("scrypt with numbers that make no hash, or one that is too costly.")
    return fitting(f"scrypt${n}${salt}${r}${p}${in_base64(checksum, 64)}")


def in_base64(checksum, length):
    """Return the `length` bytes in `checksum`, hexadecimal or Base64, as Django writes them."""
    try:
        is_hex = len(checksum) == 2 * length
        digest = bytes.fromhex(checksum) if is_hex else b64decode(checksum)
    except ValueError:
        digest = b""
    if len(digest) != length:
        raise ValidationError("Hash that is damaged.")
    return b64encode(digest).decode()


def fitting(encoded):
    if len(encoded) > PASSWORD_MAX_LENGTH:
        raise ValidationError(f"Hash of more than {PASSWORD_MAX_LENGTH} characters.")
    return encoded


FORMATS = [
    (rf"(?:(?P<hasher>bcrypt|bcrypt_sha256)\$)?{BARE_BCRYPT}", bcrypt),
    (rf"pbkdf2:(?P<digest>sha1|sha256):(?P<iterations>{NUMBER})\${SALT}\${CHECKSUM}", pbkdf2),
    (rf"pbkdf2_(?P<digest>sha1|sha256)\$(?P<iterations>{NUMBER})\${SALT}\${CHECKSUM}", pbkdf2),
    (rf"scrypt:{N_R_P}\${SALT}\${CHECKSUM}", scrypt),
    (rf"scrypt\$(?P<n>{NUMBER})\${SALT}\$(?P<r>{NUMBER})\$(?P<p>{NUMBER})\${CHECKSUM}", scrypt),
]
