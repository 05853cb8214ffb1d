"""How passwords are hashed, and how hashes that other systems made are read."""

from time import thread_time

import bcrypt
from django.conf import settings
from django.contrib.auth import hashers

from blog_project.work_pool import WorkPool

BCRYPT_MAX_BYTES = 72
BCRYPT_MIN_COST = 4  # the logarithm of the rounds

pool = WorkPool("hashing", settings.HASHING_THREADS, settings.HASHING_QUEUE_SIZE)


def pooled(method):
    """Decorate a method so that it runs in the pool."""

    def in_pool(*args):
        return pool.run(method, *args)

    return in_pool


class BCryptSHA256PasswordHasher(hashers.BCryptSHA256PasswordHasher):
    """Django's hasher of passwords of any length, in the pool."""

    @pooled
    def encode(self, password, salt):
        return super().encode(password, salt)


class BCryptPasswordHasher(hashers.BCryptPasswordHasher):
    """
    Django's plain bcrypt hasher, in the pool, which a long password does not break.

    A hash of another system is stored with the hasher's name before it, "bcrypt$$2b$12$…". It logs
    in, and is `bcrypt_sha256` from then on. Until then one of a cost above ours takes longer than
    an email that nobody has.

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
            # sooner than an email that nobody has (ASVS 6.3.8).
            self.harden_runtime(seen, encoded)
        return correct


class ReadOnlyMixin:
    """For hashers of other families than bcrypt, which read hashes that came from elsewhere."""

    @pooled
    def verify(self, password, encoded):
        """Return whether `password` is the one in `encoded`; a wrong one takes as long as ours."""
        start = thread_time()
        correct = super().verify(password, encoded)
        if not correct:
            equalize_timing(thread_time() - start)
        return correct


class PBKDF2PasswordHasher(ReadOnlyMixin, hashers.PBKDF2PasswordHasher):
    """Django's hasher of "pbkdf2_sha256$…", which is Werkzeug's "pbkdf2:sha256:…" as well."""


class PBKDF2SHA1PasswordHasher(ReadOnlyMixin, hashers.PBKDF2SHA1PasswordHasher):
    """Django's hasher of "pbkdf2_sha1$…", which is Werkzeug's "pbkdf2:sha1:…" as well."""


class ScryptPasswordHasher(ReadOnlyMixin, hashers.ScryptPasswordHasher):
    """Django's hasher of "scrypt$…", which is Werkzeug's "scrypt:…" as well."""

    # Bytes. Werkzeug's hashes take 32 MiB and a little: above OpenSSL's own limit, whose
    # ValueError would be a 500 at login.
    maxmem = 128 * 1024 * 1024


def equalize_timing(spent):
    """
    Hash on until a wrong password, after `spent` seconds of a core, has cost as much as ours.

    Or its response would come sooner than that of an email that nobody has (ASVS 6.3.8). How much
    of a bcrypt hash `spent` is differs from machine to machine: a sixteenth of one is timed first.
    """
    cost = BCryptSHA256PasswordHasher.rounds
    part = max(BCRYPT_MIN_COST, cost - 4)
    start = thread_time()
    bcrypt.hashpw(b"", bcrypt.gensalt(part))
    took = thread_time() - start or 1e-9  # a coarse clock may have stood still
    left = max(0, 2**cost - int(2**part * (1 + spent / took)))
    for power in range(BCRYPT_MIN_COST, cost):
        if left >> power & 1:
            bcrypt.hashpw(b"", bcrypt.gensalt(power))
