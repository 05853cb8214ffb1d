"""What members upload becomes a small square JPEG of our own making, or a form error."""

import secrets

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image, ImageOps

MAX_BYTES = 5 * 1024 * 1024
# Decoded, a picture takes up to four bytes a pixel, and once more when it is converted. A JPEG
# is counted after its decoder has made it smaller, so that phones' 48 million pixels are welcome.
MAX_PIXELS = 16_000_000
MAX_JPEG_PIXELS = 50_000_000
SIDE = 256  # pixels

NO_PICTURE = "Please choose a JPEG, PNG or WebP picture."
TOO_LARGE = "Please choose a picture of at most 5 MB and 16 million pixels."


def square_jpeg(upload):
    """
    Return the picture in the file `upload` as a ContentFile: a JPEG of 256 by 256 pixels.

    Only its pixels are kept, the right way up: no metadata, nothing behind the picture, and a
    name that nobody can guess. Raises ValidationError if it is too large or no picture.
    """
    if upload.size > MAX_BYTES:
        raise ValidationError(TOO_LARGE, code="too_large")
    try:
        with Image.open(upload, formats=["JPEG", "PNG", "WEBP"]) as image:
            check_pixels(image, MAX_JPEG_PIXELS)
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            check_pixels(image, MAX_PIXELS)
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise ValidationError(TOO_LARGE, code="too_large") from error
    except Exception as error:  # Pillow's decoders raise all sorts on broken files
        raise ValidationError(NO_PICTURE, code="no_picture") from error
    square = ImageOps.fit(upright, (SIDE, SIDE))
    picture = Image.new("RGB", square.size, "white")
    picture.paste(square, mask=square)
    file = ContentFile(b"", name=f"{secrets.token_hex(16)}.jpg")
    picture.save(file, "JPEG", quality=85)
    return file


def check_pixels(image, most):
    """Raise DecompressionBombError if `image`, not decoded yet, has more than `most` pixels."""
    if image.width * image.height > most:
        raise Image.DecompressionBombError
