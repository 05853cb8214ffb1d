"""
What goes wrong on a new host, and what to do: `manage.py check --deploy --database default`.

Django's own settings checks run with these. Those that ask the database also need `--database`.
"""

import os
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.http.request import validate_host

from blog_project.health import NotReady, check_database

# Of the backends that EMAIL_URL can name: those that send nothing.
SENDS_NOWHERE = {
    *[f"django.core.mail.backends.{name}" for name in ["console", "dummy", "filebased"]],
    "users.emails",  # the terminal's
}


@register(Tags.security, deploy=True)
def check_site_url(**kwargs):
    """W001: links in mails lead to a name that is refused. W002: they lead to plain HTTP."""
    url = urlsplit(settings.SITE_URL)
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield Warning(
            f"Links in mails lead to {settings.SITE_URL}, where the site answers 400: {host} is"
            " not in ALLOWED_HOSTS.",
            hint=f"Add {host} to ALLOWED_HOSTS, or correct SITE_URL.",
            id="blog_project.W001",
        )
    if settings.SECURE_SSL_REDIRECT and url.scheme == "http":
        yield Warning(
            "Links in mails, and the tokens in them, go over plain HTTP before they are redirected"
            " to HTTPS, and passkeys do not work: SITE_URL begins with http:.",
            hint=f"Set SITE_URL=https://{url.netloc}",
            id="blog_project.W002",
        )


@register(Tags.security, deploy=True)
def check_proxies(**kwargs):
    """W003: all visitors count as one. W004: the site redirects to HTTPS for ever."""
    proxies, tells_https = settings.TRUSTED_PROXY_COUNT, settings.SECURE_PROXY_SSL_HEADER
    if tells_https and not proxies:
        yield Warning(
            "All visitors count as one, and whoever guesses passwords holds up everybody:"
            " SECURE_PROXY_SSL says that a proxy is in front, and TRUSTED_PROXY_COUNT is 0.",
            hint="Set TRUSTED_PROXY_COUNT to how many proxies of your own add to X-Forwarded-For;"
            " with one Caddy or nginx it is 1. With no proxy, set SECURE_PROXY_SSL=false.",
            id="blog_project.W003",
        )
    if proxies and settings.SECURE_SSL_REDIRECT and not tells_https:
        yield Warning(
            "Pages redirect to themselves for ever: TRUSTED_PROXY_COUNT says that a proxy is in"
            " front, and the site does not hear from it that HTTPS was used.",
            hint="Set SECURE_PROXY_SSL=true if your proxy sets X-Forwarded-Proto, as those in"
            " deploy/ do. With no proxy, set TRUSTED_PROXY_COUNT=0.",
            id="blog_project.W004",
        )


@register(Tags.security, deploy=True)
def check_mail(**kwargs):
    """W005: nobody gets the mails. W006: they come from nowhere, and are refused or spam."""
    new = django.VERSION >= (6, 1)
    backend = settings.MAILERS["default"]["BACKEND"] if new else settings.EMAIL_BACKEND
    if backend.rpartition(".")[0] in SENDS_NOWHERE:
        yield Warning(
            f"Nobody gets the mails that confirm an email or reset a password: {backend} sends"
            " none.",
            hint="Set EMAIL_URL to a mail server, such as"
            " smtp+tls://user:password@mail.example:587, and see a mail arrive:"
            " manage.py sendtestemail you@example.com",
            id="blog_project.W005",
        )
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    if sender.endswith("@localhost"):
        yield Warning(
            f"Mails come from {sender}, to which nobody can answer: many servers refuse them.",
            hint="Set DEFAULT_FROM_EMAIL to an email of your domain, and see a mail arrive:"
            " manage.py sendtestemail you@example.com",
            id="blog_project.W006",
        )


@register(Tags.files, deploy=True)
def check_media(**kwargs):
    """W007: members' pictures are among the code. W008: the site cannot save any."""
    media = Path(settings.MEDIA_ROOT).resolve()
    if media.is_relative_to(settings.BASE_DIR):
        yield Warning(
            f"Members' pictures are in {media}, among the code: an upgrade may delete them, and"
            " whoever breaks into the site can write there.",
            hint="Set MEDIA_ROOT to a folder elsewhere, such as /var/lib/blog/media, and move what"
            " is there.",
            id="blog_project.W007",
        )
    # The first picture makes the folder.
    nearest = next(folder for folder in [media, *media.parents] if os.path.exists(folder))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        yield Warning(
            f"No member can upload a picture: {nearest} is not writable for this user.",
            hint="Let the user of the site own it: install -d -o blog -g blog -m 750"
            f" {media}; under systemd, ReadWritePaths= or StateDirectory= has to name it as well.",
            id="blog_project.W008",
        )


@register(Tags.database, deploy=True)
def check_migrations(databases=None, **kwargs):
    """E001: the site would not start on this database."""
    if databases:
        try:
            check_database()
        except NotReady as error:
            yield Error(
                str(error),
                hint="Migrate before the site is started: it refuses to start without. If the"
                " database does not answer, look at DATABASE_URL and whether it lets this machine"
                " in.",
                id="blog_project.E001",
            )
