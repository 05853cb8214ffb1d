"""Reading bcrypt hashes that other systems made."""

from django.contrib.auth import hashers

BCRYPT_MAX_BYTES = 72


class BCryptPasswordHasher(hashers.BCryptPasswordHasher):
    """
    Django's plain bcrypt hasher, which a long password does not break.

    To bring a hash along, store it with the hasher's name before it:
    `user.password = "bcrypt$" + "$2b$12$…"`. It logs in, and is `bcrypt_sha256` from then on.

    bcrypt sees 72 bytes of a password, and since bcrypt 5 refuses a longer one with ValueError:
    a 500 at login, and a sign that the account exists.
    """

    def verify(self, password, encoded):
        """
        Return whether `password` is the one in `encoded` ("bcrypt$$2b$12$…").

        More than 72 bytes never match, not even if the first 72 do: nothing is truncated
        (ASVS 6.2.8). They are hashed all the same, or the response time would tell that this
        account has such a hash.
        """
        seen = password.encode()[:BCRYPT_MAX_BYTES].decode(errors="ignore")
        return super().verify(seen, encoded) and seen == password
