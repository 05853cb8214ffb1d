"""How passwords are hashed, and how bcrypt hashes that other systems made are read."""

from django.contrib.auth import hashers

from .hashing import pooled

BCRYPT_MAX_BYTES = 72


class BCryptSHA256PasswordHasher(hashers.BCryptSHA256PasswordHasher):
    """Django's hasher of passwords of any length, in the pool: whoever asks comes by here."""

    @pooled
    def encode(self, password, salt):
        return super().encode(password, salt)


class BCryptPasswordHasher(hashers.BCryptPasswordHasher):
    """
    Django's plain bcrypt hasher, in the pool, which a long password does not break.

    To bring a hash along, store it with the hasher's name before it:
    `user.password = "bcrypt$" + "$2b$12$…"`. It logs in, and is `bcrypt_sha256` from then on.
    Bring none of a cost above ours: it takes longer than an address that nobody has.

    bcrypt sees 72 bytes of a password, and since bcrypt 5 refuses a longer one with ValueError:
    a 500 at login, and a sign that the account exists.
    """

    @pooled
    def encode(self, password, salt):
        return super().encode(password, salt)

    @pooled
    def verify(self, password, encoded):
        """
        Return whether `password` is the one in `encoded` ("bcrypt$$2b$12$…").

        More than 72 bytes never match, not even if the first 72 do: nothing is truncated
        (ASVS 6.2.8). They are hashed all the same, or the response time would tell that this
        account has such a hash.
        """
        seen = password.encode()[:BCRYPT_MAX_BYTES].decode(errors="ignore")
        correct = super().verify(seen, encoded) and seen == password
        if not correct:
            # Django does this for the hasher of new passwords alone. A cheaper hash would answer
            # sooner than an address that nobody has (ASVS 6.3.8).
            self.harden_runtime(seen, encoded)
        return correct
