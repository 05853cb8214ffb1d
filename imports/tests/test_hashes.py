import bcrypt
from django.contrib.auth import hashers
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.test import tag

from imports.hashes import from_anywhere, from_flask_bcrypt
from testing.cast import CastTestCase

BARE = bcrypt.hashpw(b"testing", bcrypt.gensalt(4)).decode()
# Made by Flask-Bcrypt 1.0 with BCRYPT_HANDLE_LONG_PASSWORDS.
LONG_PASSWORD = "old site " * 20
LONG = "$2b$04$CWhlLCgyprL7jQoFW5TRYOfl91TJTrv0e8deZrj3YrFVOrvCN7NTy"
# Made by Werkzeug 3.1 of the password "from the old site".
SCRYPT = (
    "scrypt:1024:8:1$bTEGWqFymhFoDoZS$97ce545384c9f4a79a4c891a7b92ef007b2db063b1ff9228844243e595cb"
    "451ad8881c0b16e88167b147c7b43114e2e0f4bbd66a201db3941659d912b9dc5694"
)
PBKDF2 = (
    "pbkdf2:sha256:10$nVphKCi3PEMvmME0$"
    "f2b00ebbf5a516ce06618a21c4a6b849406e060a9febc80c67cbce735840477d"
)
PBKDF2_SHA1 = "pbkdf2:sha1:10$yGgsQ3xOtTs639yn$8be657af6580473efc66af13b8d41c78a79568bd"


class HashTestCase(CastTestCase):
    def assertRefused(self, value, words, convert=from_anywhere):
        # ascii: a process cannot tell another of half a character, as one of the values has.
        with self.subTest(ascii(value)), self.assertRaisesMessage(ValidationError, words):
            convert(value)


class FlaskBcrypt(HashTestCase):
    def test_bare_hash_gets_the_name_of_its_hasher(self):
        for prefix in ["$2a$", "$2b$", "$2y$"]:
            bare = BARE.replace("$2b$", prefix)
            self.assertEqual(from_flask_bcrypt(bare), f"bcrypt${bare}")
            self.assertTrue(check_password("testing", f"bcrypt${bare}"))

    def test_long_passwords_are_bcrypt_sha256_already(self):
        encoded = from_flask_bcrypt(LONG, long_passwords=True)
        self.assertEqual(encoded, f"bcrypt_sha256${LONG}")
        self.assertTrue(check_password(LONG_PASSWORD, encoded))
        self.assertFalse(check_password(LONG_PASSWORD[:-1], encoded))

    def test_what_bcrypt_would_choke_on_at_login_is_refused(self):
        damaged = {
            "shorter": BARE[:-1],
            "longer": BARE + "u",
            "unknown prefix": BARE.replace("$2b$", "$2x$"),
            "no such letter": BARE[:-5] + "!" + BARE[-4:],
            "line after it": BARE + "\n",
            "a bit too many in the salt": BARE[:28] + "P" + BARE[29:],
            "a bit too many in the checksum": BARE[:-1] + "1",
            "digits of another alphabet": BARE.replace("$04$", "$٠٤$"),
        }
        for name, value in damaged.items():
            with self.subTest(name):
                self.assertRefused(value, "that is not bcrypt, or is damaged", from_flask_bcrypt)
        self.assertRefused("", "This account has no password.", from_flask_bcrypt)
        for value in ["testing", PBKDF2, f"bcrypt${BARE}"]:
            self.assertRefused(value, "that is not bcrypt, or is damaged", from_flask_bcrypt)

    def test_costs_that_bcrypt_knows_and_that_answer_in_time(self):
        for cost in ["04", "10", "15"]:
            from_flask_bcrypt(BARE.replace("$04$", f"${cost}$"))
        for cost in ["00", "03", "16", "31", "32"]:
            value = BARE.replace("$04$", f"${cost}$")
            self.assertRefused(value, f"bcrypt of cost {cost}, not 4 to 15.", from_flask_bcrypt)


class Anywhere(HashTestCase):
    def test_werkzeugs_hashes_become_djangos(self):
        for value, start in [
            (SCRYPT, "scrypt$1024$bTEGWqFymhFoDoZS$8$1$"),
            (PBKDF2, "pbkdf2_sha256$10$nVphKCi3PEMvmME0$"),
            (PBKDF2_SHA1, "pbkdf2_sha1$10$yGgsQ3xOtTs639yn$"),
        ]:
            encoded = from_anywhere(value)
            self.assertTrue(encoded.startswith(start), encoded)
            self.assertTrue(check_password("from the old site", encoded))
            self.assertFalse(check_password("from the new site", encoded))

    def test_default_of_werkzeug_is_one_that_the_hasher_can_take(self):
        werkzeug = (
            "scrypt:32768:8:1$HVrXEoI4yW0Ps5Rl$ec4acf851dceac9305f90b91fe80196809a9e95fbd"
            "c9f6fe039e25f3544064d6d52b9ecc3fe75deef41b0864b8009171f46359ff0af364a4c958fa"
            "cde9e249a8"
        )
        self.assertTrue(check_password("from the old site", from_anywhere(werkzeug)))

    def test_djangos_hashes_stay_as_they_are(self):
        self.assertEqual(from_anywhere(BARE), f"bcrypt${BARE}")
        own = [f"bcrypt${BARE}", f"bcrypt_sha256${BARE}"]
        for hasher, work in [
            (hashers.ScryptPasswordHasher(), 2),
            (hashers.PBKDF2PasswordHasher(), 1),
            (hashers.PBKDF2SHA1PasswordHasher(), 1),
        ]:
            own.append(hasher.encode("testing", hasher.salt(), work))
        for encoded in own:
            with self.subTest(encoded):
                self.assertEqual(from_anywhere(encoded), encoded)

    def test_others_are_refused_by_name(self):
        for value, name in [
            ("argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA", "argon2"),
            ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "argon2id"),
            ("md5$salt$5d41402abc4b2a76b9719d911017c592", "md5"),
            ("sha1$salt$aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "sha1"),
            ("pbkdf2:md5:10$salt$5d41402abc4b2a76b9719d911017c592", "pbkdf2:md5"),
            (PBKDF2.replace("sha256", "sha512"), "pbkdf2:sha512"),
            ("$6$salt$abcdef", "$6$"),
            (BARE[:-1], "$2b$"),
        ]:
            self.assertRefused(value, f"or is damaged: {name}.")
        self.assertRefused("!gIhSnlTw", "This account has no password.")

    def test_nothing_of_a_password_in_plain_text_is_repeated(self):
        for value in ["hunter2", "hunter2$x", "$hunter2$", "argon2hunter2"]:
            self.assertRefused(value, "or is damaged: unknown.")

    def test_damaged_ones_are_refused(self):
        for value in [
            PBKDF2[:-2],
            PBKDF2[:-1] + "g",
            PBKDF2_SHA1 + "00",
            SCRYPT[:-2],
            "pbkdf2_sha256$10$salt$AAAA",
            "pbkdf2_sha256$10$salt$" + "A" * 43,
        ]:
            self.assertRefused(value, "damaged")
        for value in [PBKDF2.replace("nV", "ü"), PBKDF2.replace("nV", "\ud800"), PBKDF2 + "\n"]:
            self.assertRefused(value, "or is damaged: pbkdf2:sha256.")
        self.assertRefused(PBKDF2.replace("nV", "n" * 64), "Hash of more than 128 characters.")

    def test_work_that_no_login_can_wait_for_is_refused(self):
        for iterations in ["0", "5000001", "999999999"]:
            value = PBKDF2.replace(":10$", f":{iterations}$")
            self.assertRefused(value, f"PBKDF2 of {iterations}, not 1 to 5000000, rounds.")
        from_anywhere(PBKDF2.replace(":10$", ":5000000$"))
        for n_r_p in ["1:8:1", "0:8:1", "1000:8:1", "1024:0:1", "1024:8:0", "65536:1:1"]:
            value = SCRYPT.replace("1024:8:1", n_r_p)
            self.assertRefused(value, "scrypt with numbers that make no hash")
        for n_r_p in ["131072:8:1", "65536:8:9", "2:262144:1", "2:8:262144"]:
            self.assertRefused(SCRYPT.replace("1024:8:1", n_r_p), "or one that is too costly")

    @tag("slow")
    def test_what_is_let_in_fits_into_what_the_hasher_may_take(self):
        for n_r_p in ["65536:8:1", "32768:1:1", "2:131072:1", "2:8:131000"]:
            encoded = from_anywhere(SCRYPT.replace("1024:8:1", n_r_p))
            self.assertFalse(check_password("from the old site", encoded))
