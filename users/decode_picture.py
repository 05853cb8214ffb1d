"""
A picture becomes a small square JPEG: a program by itself, which users/pictures.py runs.

A decoder takes the memory and the time that a file makes it take, and Pillow has no limit for
either. A process has both, whatever the trick (ASVS 5.2.1). The picture comes in on standard input
and goes out on standard output; the exit status is 0, NO_PICTURE or TOO_LARGE. No Django here: it
takes longer to start than most pictures to decode.
"""

import re
import sys
from io import BytesIO

from PIL import Image
from PIL.ExifTags import Base
from PIL.Image import Transpose

CPU_SECONDS = 2
# Bytes. The largest that fit are a WebP of 16 million pixels, whose decoder keeps 16 bytes for
# each, and a progressive JPEG of 48 million, all of which libjpeg keeps as it reads on.
MEMORY = 360 * 1024 * 1024

# A JPEG's decoder makes it smaller by itself, so that phones' 48 million pixels are welcome.
MAX_JPEG_PIXELS = 50_000_000
MAX_PIXELS = 16_000_000
# Cameras write one scan, most editors ten. Each costs time for the whole picture, even if empty.
MAX_SCANS = 30
SIDE = 256  # pixels

NO_PICTURE, TOO_LARGE = 3, 4

# What a JPEG's decoder takes for the start of a segment, wherever it looks for one.
MARKER = re.compile(rb"\xff+([\xc0-\xcf\xd8-\xfe])")
END_OF_IMAGE, START_OF_SCAN = b"\xd9", b"\xda"

# The orientation as EXIF numbers it; of the metadata nothing else is read.
TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def square_jpeg(data):
    """
    Return the picture in the bytes `data` as those of a JPEG of 256 by 256 pixels, upright.

    Raises DecompressionBombError or MemoryError if it is too large, and what Pillow's decoders
    see fit if it is no picture.
    """
    is_jpeg = data.startswith(b"\xff\xd8")
    # Pillow raises DecompressionBombError beyond twice as many: of a WebP, before it takes memory.
    Image.MAX_IMAGE_PIXELS = (MAX_JPEG_PIXELS if is_jpeg else MAX_PIXELS) // 2
    if is_jpeg and count_scans(data) > MAX_SCANS:
        raise ValueError("Too many scans")
    image = Image.open(BytesIO(data), formats=["JPEG", "PNG", "WEBP"])
    pixels = image.width * image.height
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    try:
        image.load()
    except OSError as error:  # which is all that libjpeg says when it gets no more memory
        raise Image.DecompressionBombError if pixels > MAX_PIXELS else error from error
    turn = TURNS.get(image.getexif().get(Base.Orientation))

    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    if side > 4 * SIDE:
        # In whatever mode it is: what follows would make copies of all its pixels.
        image = image.resize((4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST, box)
        box = None
    square = image.convert("RGBA").resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
    if turn is not None:
        square = square.transpose(turn)
    picture = Image.new("RGB", square.size, "white")
    picture.paste(square, mask=square)
    file = BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()


def count_scans(data):
    """Return how many scans the first picture in the JPEG `data` has, or up to MAX_SCANS + 1."""
    scans = position = 0
    while scans <= MAX_SCANS and (found := MARKER.search(data, position)):
        position = found.end()
        if found[1] == END_OF_IMAGE:
            break
        scans += found[1] == START_OF_SCAN
        if found[1] != b"\xd8":  # all others have a length: of thumbnails inside nothing counts
            position += int.from_bytes(data[position : position + 2])
    return scans


def limit():
    """Let the system end this process at CPU_SECONDS, and give it no more than MEMORY."""
    if sys.platform == "linux":  # elsewhere they do not exist, or do not hold
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main():
    data = sys.stdin.buffer.read()
    try:
        picture = square_jpeg(data)
    except (Image.DecompressionBombError, MemoryError):
        sys.exit(TOO_LARGE)
    except Exception:  # Pillow's decoders raise all sorts on broken files
        sys.exit(NO_PICTURE)
    sys.stdout.buffer.write(picture)


if __name__ == "__main__":
    limit()
    main()
