"""What members upload becomes a small square JPEG of our own making, or a form error."""

import os
import secrets
import subprocess
import sys

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from blog_project.work_pool import RETRY_AFTER, QueueFull, WorkPool
from users import decode_picture

MAX_BYTES = 5 * 1024 * 1024

NO_PICTURE = "Please choose a JPEG, PNG or WebP picture."
TOO_LARGE = "Please choose a picture of at most 5 MB and 16 million pixels."

# Not the pool that hashes: pictures must not take the places of logins.
pool = WorkPool("pictures", threads=1, queue_size=4)


def square_jpeg(upload):
    """
    Return the picture in the file `upload` as a ContentFile: a JPEG of 256 by 256 pixels.

    Only its pixels are kept, the right way up: no metadata, nothing behind the picture, and a
    name that nobody can guess. Raises ValidationError if it is too large or no picture, and
    QueueFull if too many others are waiting.
    """
    if upload.size > MAX_BYTES:
        raise ValidationError(TOO_LARGE, code="too_large")
    process = pool.run(decode, upload)
    status = process.returncode
    if status == decode_picture.TOO_LARGE or status < 0:  # the system ended it, at its limits
        raise ValidationError(TOO_LARGE, code="too_large")
    if status == decode_picture.NO_PICTURE:
        raise ValidationError(NO_PICTURE, code="no_picture")
    process.check_returncode()
    return ContentFile(process.stdout, name=f"{secrets.token_hex(16)}.jpg")


def decode(upload):
    """Run decode_picture.py on the file `upload`, and return the CompletedProcess."""
    command = [sys.executable, "-P", "-W", "ignore", decode_picture.__file__]
    # No secrets for the process in which a hole of a decoder would be; Windows needs this one.
    environment = {"SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    data = upload.read()
    try:
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, env=environment)  # noqa: S603 our own
    except OSError as error:  # the machine has no memory or process left for it
        raise QueueFull(RETRY_AFTER) from error
