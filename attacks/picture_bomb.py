"""
A bomb of a picture.

`Image.open(…)` and `thumbnail` decode whatever comes: 50 KB of PNG are 400 million pixels, and a
JPEG of ten thousand empty scans keeps a core busy. One upload, and the process is out of memory,
with everybody's pages. So the size that the file claims is looked at first, and the decoder runs
in a process of its own, with little memory and two seconds.

CWE-409: what is compressed is not bounded.
"""

import struct
import zlib
from io import BytesIO
from pathlib import Path

from PIL import Image

from attacks import HOLDS, THROUGH, Seen

NEEDS = "pictures"
SIDE = 20_000  # pixels
MEMORY = 100  # MB that the site's processes may have grown by


def attack(target):
    member = target.logged_in(target.member())
    member.read_form(target.account)
    before = most_memory(target)
    bombs = [png_bomb(), jpeg_bomb()]
    answers = [member.upload(target.account, "picture", bomb, username="bomber") for bomb in bombs]
    stored = list(Path(f"{target.folder}/ours-media").rglob("*.jpg"))
    refused = sum(answer.status == 200 and b"Please choose a" in answer.body for answer in answers)
    grown = most_memory(target) - before
    held = refused == len(bombs) and not stored and grown < MEMORY
    held &= target.stranger().get("/").status == 200
    size = sum(map(len, bombs)) / 1000
    what = f"{refused} of {len(bombs)} bombs of {size:.0f} KB refused, {len(stored)} stored"
    return Seen(HOLDS if held else THROUGH, f"{what}, workers {grown:.0f} MB larger")


def png_bomb():
    """Return a PNG, a sound one, of 20,000 by 20,000 black pixels of one bit."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(SIDE // 8 + 1) * SIDE)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def jpeg_bomb():
    """Return a progressive JPEG of ten thousand scans, all but its own of them empty."""
    file = BytesIO()
    Image.new("RGB", (6_000, 6_000)).save(file, "JPEG", progressive=True)
    return file.getvalue()[:-2] + b"\xff\xda\0\x08\1\1\0\1\x3f\0" * 10_000 + b"\xff\xd9"


def most_memory(target):
    """Return the MB that the workers of the site have had at most, in sum."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in target.server.workers()]
    lines = [line for text in statuses for line in text.splitlines() if line.startswith("VmHWM:")]
    return sum(int(line.split()[1]) for line in lines) / 1024
