"""
Settings of the site, in one flat file.

What differs from machine to machine is read from environment variables; `.env.example` has them
all. With none of them set this is a production site: no debug pages, HTTPS only, and no start
without a SECRET_KEY. `manage.py` turns DEBUG on for the developer.
"""

import math
import os
import re
from email.utils import formataddr
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from environ import Env
from whitenoise.compress import Compressor

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()


def env_bool(name, default):
    """
    Return the environment variable `name` as a bool, or `default` if it is not set.

    Raises ImproperlyConfigured for anything but a clear yes or no: `Env.bool` reads a misspelt
    `ture` as False, and would switch a protection off in silence.
    """
    value = env.str(name, default=str(default)).strip().lower()
    if value in {"true", "1", "yes", "on"}:
        return True
    if value in {"false", "0", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def env_count(name, default, least=1):
    """
    Return the environment variable `name` as an int, or `default` if it is not set.

    Raises ImproperlyConfigured if it is below `least` or no number.
    """
    value = env.str(name, default=str(default)).strip()
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a number, at least {least}, not {value!r}.")
    return int(value)


def env_choice(name, default, choices):
    """
    Return the environment variable `name`, one of the words `choices`, or `default` if not set.

    Raises ImproperlyConfigured for any other word.
    """
    value = env.str(name, default=default).strip().lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def env_list(name):
    """Return the words that the environment variable `name` has between its commas."""
    # Not through `env`, which takes a key that starts with "$" for the name of another variable.
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


DEBUG = env_bool("DEBUG", default=False)

# Not through `env`, for the same reason.
SECRET_KEY = os.environ.get("SECRET_KEY", "django-insecure-development-only" if DEBUG else "")
if not SECRET_KEY or (len(SECRET_KEY) < 50 and not DEBUG):
    raise ImproperlyConfigured(
        f"SECRET_KEY {'has fewer than 50 characters' if SECRET_KEY else 'is not set'}. Make one"
        ' with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
# What former keys signed stays good while they are here.
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")


# The site

SITE_NAME = env.str("SITE_NAME", default="Django Blog")
# Whom visitors write to: in the footer, mails and /.well-known/security.txt. Nobody, if empty.
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="")
for line in [SITE_NAME, CONTACT_EMAIL]:  # they stand in the headers of mails
    if not line.isprintable():
        raise ImproperlyConfigured(f"SITE_NAME and CONTACT_EMAIL are one line each, not {line!r}.")


# Application

INSTALLED_APPS = [
    "imports",
    "blog",
    "users",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",  # before staticfiles: runserver serves as production does
    "django.contrib.staticfiles",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_include_bootstrap",
]

MIDDLEWARE = [
    "blog_project.health.answer_probes",
    "blog_project.middleware.log_requests",
    "blog_project.clients.set_client_network",
    "django.middleware.security.SecurityMiddleware",
    "blog_project.middleware.set_headers",
    "blog_project.middleware.set_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "users.sessions.track_activity",
    "users.proof.Guard",
    "blog_project.middleware.ErrorPages",
]

ROOT_URLCONF = "blog_project.urls"
WSGI_APPLICATION = "blog_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the apps' own: our base.html wins over the one that django_include_bootstrap has.
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "blog_project.site.site",
                "blog.views.sidebar",
            ],
            "builtins": ["blog_project.templatetags"],
        },
    },
]

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"


# The web server: gunicorn.conf.py hands these to it.

PORT = env_count("PORT", default=8000)
WEB_CONCURRENCY = env_count("WEB_CONCURRENCY", default=1)  # processes
THREADS = env_count("THREADS", default=48)  # in each of them

# How many passwords one process hashes at a time: its share of the cores, and one more, so that no
# core is idle when another process has none to hash. And how many more wait in its queue: with
# those, two thirds of the process's threads, so that a third is left for pages.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
HASHING_THREADS = math.ceil(CORES / WEB_CONCURRENCY) + 1
HASHING_QUEUE_SIZE = max(0, THREADS * 2 // 3 - HASHING_THREADS)


# Database

if "DATABASE_URL" in env.ENVIRON:
    DATABASES = {"default": env.db("DATABASE_URL")}
else:
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}
    }

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Readers never wait for a writer. A transaction takes the write lock when it begins and
        # waits for it up to `timeout` seconds: one that took it halfway would fail at once.
        "init_command": "PRAGMA journal_mode=WAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
    # Tests run on a file as well: in memory there is one connection, and nothing happens at once.
    DATABASES["default"]["TEST"] = {"NAME": BASE_DIR / "test.sqlite3"}
    DATABASES["default"]["CONN_MAX_AGE"] = None  # a thread opens the file once
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # Whoever waits for a password to be hashed, or for a mail, holds none: one for each thread that
    # is left is enough (blog_project/database.py). A database that gives no connection within
    # two seconds is a 503, and one that is back is noticed at the next request.
    DATABASES["default"]["OPTIONS"] = {
        # Of a machine that is gone nothing comes back, not even that it refuses: without these,
        # it would be waited for as long as the system sees fit, a quarter of an hour.
        "connect_timeout": 5,  # seconds
        "tcp_user_timeout": 5_000,  # milliseconds
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": max(2, THREADS // 3),
            "timeout": 2,  # seconds, like the next one
            "reconnect_timeout": 5,
        },
    }
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Parts of pages, under names that say all that is in them: each process's own.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.dummy.DummyCache"
        if DEBUG  # the developer sees changes at once
        else "django.core.cache.backends.locmem.LocMemCache",
    },
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"


# Accounts

AUTH_USER_MODEL = "users.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
SESSION_ENGINE = "users.sessions"
# A session is over when its browser is closed, or 12 hours after the last visit. With "Remember
# Me" it is over 14 days after the last visit. In any case it is over 30 days after the login.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds
REMEMBER_ME_SECONDS = 14 * 24 * 60 * 60
SESSION_LIFETIME_DAYS = 30
SESSIONS_PER_MEMBER = 50  # one more ends the one that was seen last longest ago (ASVS 7.1.2)

# The first one hashes new passwords; the others only read hashes that came from elsewhere, and
# whoever logs in with one leaves with the first.
PASSWORD_HASHERS = [
    "users.hashers.BCryptSHA256PasswordHasher",
    "users.hashers.BCryptPasswordHasher",
    "users.hashers.PBKDF2PasswordHasher",
    "users.hashers.PBKDF2SHA1PasswordHasher",
    "users.hashers.ScryptPasswordHasher",
]

# Length and surprise, no rules about which characters (ASVS 6.2.5).
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "users.passwords.ContextWordsValidator",
        # Add yours: the organisation, its products (ASVS 6.1.2).
        "OPTIONS": {"names": [SITE_NAME]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# With true, passwords are looked up among breached ones at api.pwnedpasswords.com, which learns
# the first five digits of their SHA-1. If it does not answer within a second, the common ones are
# refused, as without it.
if env_bool("CHECK_BREACHED_PASSWORDS", default=False):
    AUTH_PASSWORD_VALIDATORS[-1] = {
        "NAME": "pwned_passwords_django.validators.PwnedPasswordsValidator",
        "OPTIONS": {"error_message": "This password is known from a data breach."},
    }

# What users/throttle.py lets pass.
LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES = env_count(
    "LOGIN_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES", default=10
)
LOGIN_FAILURES_PER_EMAIL_PER_DAY = env_count("LOGIN_FAILURES_PER_EMAIL_PER_DAY", default=100)
LOGIN_FAILURES_PER_IP_PER_15_MINUTES = env_count(
    "LOGIN_FAILURES_PER_IP_PER_15_MINUTES", default=100
)
LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES = env_count(
    "LOGINS_PER_EMAIL_AND_IP_PER_15_MINUTES", default=30
)
SIGNUPS_PER_IP_PER_HOUR = env_count("SIGNUPS_PER_IP_PER_HOUR", default=20)
MAILS_PER_EMAIL_PER_HOUR = env_count("MAILS_PER_EMAIL_PER_HOUR", default=5)
MAILS_PER_IP_PER_HOUR = env_count("MAILS_PER_IP_PER_HOUR", default=20)
PICTURES_PER_MEMBER_PER_HOUR = env_count("PICTURES_PER_MEMBER_PER_HOUR", default=20)
CODE_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES = env_count(
    "CODE_FAILURES_PER_EMAIL_AND_IP_PER_15_MINUTES", default=10
)
PASSKEY_FAILURES_PER_IP_PER_15_MINUTES = env_count(
    "PASSKEY_FAILURES_PER_IP_PER_15_MINUTES", default=100
)
FACTOR_CHANGES_PER_MEMBER_PER_HOUR = env_count("FACTOR_CHANGES_PER_MEMBER_PER_HOUR", default=20)
POSTS_PER_MEMBER_PER_DAY = env_count("POSTS_PER_MEMBER_PER_DAY", default=30)

# With false, nobody can add a passkey or an authenticator app.
SECOND_FACTORS_OFFERED = env_bool("SECOND_FACTORS_OFFERED", default=True)
# Who must have one: nobody, staff or everybody.
SECOND_FACTOR_REQUIRED = env_choice(
    "SECOND_FACTOR_REQUIRED",
    default="nobody" if DEBUG or not SECOND_FACTORS_OFFERED else "staff",
    choices=["nobody", "staff", "everybody"],
)
if SECOND_FACTOR_REQUIRED != "nobody" and not SECOND_FACTORS_OFFERED:
    raise ImproperlyConfigured(
        "SECOND_FACTOR_REQUIRED asks for what SECOND_FACTORS_OFFERED denies."
    )
# For how long it counts that a member gave the password or a factor: before the account is
# changed, and in the admin.
PROOF_SECONDS = 15 * 60
ADMIN_PROOF_SECONDS = 60 * 60

# With true, a login waits until the member has confirmed the email.
EMAIL_VERIFICATION_REQUIRED = env_bool("EMAIL_VERIFICATION_REQUIRED", default=False)
# Who writes posts: members or staff.
WHO_POSTS = env_choice("WHO_POSTS", default="members", choices=["members", "staff"])
# With true, only members who have confirmed their email write and change posts.
CONFIRMED_EMAIL_TO_POST = env_bool("CONFIRMED_EMAIL_TO_POST", default=not DEBUG)
# The mails and pages say these in words.
RESET_LINK_HOURS = 1
CONFIRM_LINK_DAYS = 3
RECOVER_LINK_DAYS = 3  # in every notice of a change: "This wasn't me"
PASSWORD_RESET_TIMEOUT = RESET_LINK_HOURS * 60 * 60  # seconds


# Mail: on the developer's terminal, and in production through a server on this machine.

Env.EMAIL_SCHEMES["consolemail"] = "users.emails.TerminalBackend"
mail = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost:25")
mail["EMAIL_TIMEOUT"] = 5  # seconds for each answer of the mail server: a visitor waits
if django.VERSION < (6, 1):
    vars().update(mail)
else:  # which wants the same under other names
    MAILERS = {"default": {"BACKEND": mail["EMAIL_BACKEND"]}}
    if "smtp" in mail["EMAIL_BACKEND"]:
        MAILERS["default"]["OPTIONS"] = {
            "host": mail["EMAIL_HOST"],
            "port": mail["EMAIL_PORT"],
            "username": mail["EMAIL_HOST_USER"],
            "password": mail["EMAIL_HOST_PASSWORD"],
            "use_tls": mail.get("EMAIL_USE_TLS", False),
            "use_ssl": mail.get("EMAIL_USE_SSL", False),
            "timeout": mail["EMAIL_TIMEOUT"],
        }
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=formataddr((SITE_NAME, "noreply@localhost"))
)


# What pages may load and do (ASVS 3.4.3, 3.4.6): what is named here, and nothing inline.

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        # Bootstrap's style sheet draws its icons as data: pictures, which cannot run anything.
        "img-src": ["'self'", "data:"],
        # What a passkey has to sign, and what the admin's search fields offer.
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        # Script makes no HTML of text: what a visitor typed cannot become a part of the page.
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }
}
# The admin's jQuery does.
ADMIN_CONTENT_SECURITY_POLICY = {
    "require-trusted-types-for": None,
    "trusted-types": None,
}


# A form without its files, in bytes: 60,000 letters of any alphabet. It comes back with its errors
# six times as large, and 48 at once of Django's 2.5 MB took a worker to 3 GB.

DATA_UPLOAD_MAX_MEMORY_SIZE = 200_000


# HTTPS

SECURE_SSL = env_bool("SECURE_SSL", default=not DEBUG)
SECURE_SSL_REDIRECT = SECURE_SSL
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE_SSL else 0
SESSION_COOKIE_SECURE = SECURE_SSL
CSRF_COOKIE_SECURE = SECURE_SSL
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "blog_project.messages.HostCookieStorage"
CSRF_FAILURE_VIEW = "users.views.login.csrf_failure"
if SECURE_SSL:
    # No subdomain, and no page over plain HTTP, can set cookies of these names.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
# How many proxies of our own add to X-Forwarded-For; with 0 the header is not believed.
TRUSTED_PROXY_COUNT = env_count("TRUSTED_PROXY_COUNT", default=0, least=0)
# Only a site whose own proxy sets this header may believe it.
if env_bool("SECURE_PROXY_SSL", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Where the links in mails lead. Never to the Host of a request: whoever asks for the mail writes
# that, and would be sent the token by whoever follows the link.
SITE_URL = env.str("SITE_URL", default="").rstrip("/")
if not SITE_URL and DEBUG:
    SITE_URL = f"http://localhost:{PORT}"  # passkeys do not work on an IP address
elif not SITE_URL:
    if len(ALLOWED_HOSTS) != 1 or ALLOWED_HOSTS[0].startswith(("*", ".")):
        raise ImproperlyConfigured(
            "SITE_URL is not set, and ALLOWED_HOSTS is not one name. Links in mails lead there:"
            " https://blog.example"
        )
    SITE_URL = f"{'https' if SECURE_SSL else 'http'}://{ALLOWED_HOSTS[0]}"
if not re.fullmatch(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?", SITE_URL, re.ASCII):
    raise ImproperlyConfigured(
        f"SITE_URL must be like https://blog.example, without a path, not {SITE_URL!r}."
    )
# HSTS for the subdomains and the preload list bind every other site of the domain: the choice
# of whoever owns it, not this project's.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]


# Pictures of members, and static files

MEDIA_URL = "media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / "media")))

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "blog_project.links.ManifestStaticFilesStorage"
    },
}
# WhiteNoise would ask settings.DEBUG, which test runners switch off.
WHITENOISE_AUTOREFRESH = DEBUG
# No page links files without a hash in their name, nor source maps: `collectstatic` leaves the ones
# out, and the others as they are. To compress all would take it a third of a minute.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
# No other site needs to read them with script (ASVS 3.4.2).
WHITENOISE_ALLOW_ALL_ORIGINS = False


# Logging, with the tokens of links left out. Django's own loggers, on standard error in
# production too, so that a server error leaves its traceback there.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "stderr": {"()": "users.logs.HideTokens"},
        "runserver": {
            "()": "users.logs.HideTokensServer",
            "format": "[{server_time}] {message}",
            "style": "{",
        },
    },
    "filters": {"debug": {"()": "django.utils.log.RequireDebugTrue"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "stderr",
            "filters": ["debug"] if DEBUG else [],  # which test runners switch off: no noise
        },
        "runserver": {"class": "logging.StreamHandler", "formatter": "runserver"},
    },
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "INFO"},
        # In production one line a request says which page was not found; errors have tracebacks.
        "django.request": {"level": "WARNING" if DEBUG else "ERROR"},
        "blog_project": {"handlers": ["stderr"], "level": "WARNING" if DEBUG else "INFO"},
        "django.server": {"handlers": ["runserver"], "level": "INFO", "propagate": False},
        # What happens to accounts, a line of JSON each: no reading for the developer.
        "django.security.auth": {"level": "WARNING" if DEBUG else "INFO"},
        "users": {"handlers": ["stderr"], "level": "INFO"},
    },
}


# Tests

TEST_RUNNER = "testing.runner.Runner"
