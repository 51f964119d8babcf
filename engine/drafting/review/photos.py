"""Names of picture files in → pictures that a page can carry, without what a camera wrote in them.

Where and when a photo was taken, on which phone, and videos behind it stay out: a page is sent on.
Only how the picture is turned is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DocumentError

_MOST, _MOST_BYTES = 12, 4 * 1024 * 1024
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_KEPT_SEGMENTS = {0xE0, 0xE2, 0xEE}
"""JFIF, colour profile, Adobe's colour transform."""
_KEPT_CHUNKS = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs",
    b"bKGD", b"sBIT",
}  # fmt: skip
_SCAN, _END, _EXIF, _COMMENT = 0xDA, 0xD9, 0xE1, 0xFE
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture for the page."""

    name: str
    mime: str
    """image/jpeg or image/png."""
    data: bytes


def read_photos(names: Sequence[str], folder: Path) -> tuple[list[Photo], list[str]]:
    """The pictures that can be shown, and for each other file why it can't, in a sentence.

    Args:
        names: file names, relative to `folder` or absolute; web addresses are passed over.
        folder: where the facts are.
    """
    photos: list[Photo] = []
    problems: list[str] = []
    for name in names:
        if name.startswith(("http://", "https://")):
            continue
        try:
            if len(photos) >= _MOST:
                raise DocumentError(f"{name}: a page carries {_MOST} photos. Leave some out.")
            photos.append(_read(name, folder / name))
        except DocumentError as error:
            problems.append(str(error))
    return photos, problems


def _read(name: str, path: Path) -> Photo:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise DocumentError(
                f"{name} has {size / 1024 / 1024:.1f} MiB; a page carries photos of up to"
                f" {_MOST_BYTES // 1024 // 1024}. Make it smaller."
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DocumentError(f"{name} can't be read: {why}.") from error
    try:
        if data.startswith(_JPEG):
            return Photo(name, "image/jpeg", _clean_jpeg(data))
        if data.startswith(_PNG):
            return Photo(name, "image/png", _clean_png(data))
    except (struct.error, IndexError, ValueError) as error:
        raise DocumentError(f"{name} is a damaged picture. Save it again.") from error
    raise DocumentError(f"{name} is neither JPEG nor PNG. Save it as one of them.")


def _clean_jpeg(data: bytes) -> bytes:
    """The picture with only those segments that it needs, and nothing behind its end."""
    orientation = 1
    kept: list[bytes] = []
    for marker, start, end in _segments(data):
        if marker == _EXIF:
            orientation = _orientation(data[start + 4 : end]) or orientation
        elif marker in _KEPT_SEGMENTS or not (0xE0 <= marker <= 0xEF or marker == _COMMENT):
            kept.append(data[start:end])
    turned = [_exif(orientation)] if orientation > 1 else []
    return b"".join([data[:2], *turned, *kept])


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment; a scan goes with the picture data behind it."""
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker where one should be")
        marker = data[at + 1]
        if marker == _END:
            yield marker, at, at + 2
            return
        end = at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker == _SCAN:
            end = _scan_end(data, end)
        if end > len(data):
            raise ValueError("a segment is cut off")
        yield marker, at, end
        at = end


def _scan_end(data: bytes, at: int) -> int:
    """Where the picture data from `at` on end: at a marker that doesn't belong to them."""
    while (at := data.find(b"\xff", at)) >= 0:
        if data[at + 1] and not 0xD0 <= data[at + 1] <= 0xD7 and data[at + 1] != 0xFF:
            return at
        at += 1
    raise ValueError("the picture has no end")


def _orientation(exif: bytes) -> int:
    """How the picture is turned, 1 to 8, by its Exif data; 0 when they don't tell."""
    if not exif.startswith(b"Exif\0\0") or len(exif) < 16:
        return 0
    tiff = exif[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 0
    first = struct.unpack_from(f"{order}I", tiff, 4)[0]
    if first + 2 > len(tiff):
        return 0
    for number in range(struct.unpack_from(f"{order}H", tiff, first)[0]):
        place = first + 2 + 12 * number
        if place + 12 > len(tiff):
            return 0
        if struct.unpack_from(f"{order}H", tiff, place)[0] == _ORIENTATION:
            turned = int(struct.unpack_from(f"{order}H", tiff, place + 8)[0])
            return turned if turned in range(1, 9) else 0
    return 0


def _exif(orientation: int) -> bytes:
    """A segment that tells only how the picture is turned."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    body = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _clean_png(data: bytes) -> bytes:
    """The picture with only those chunks that it needs."""
    kept, at = [_PNG], len(_PNG)
    while True:
        length = struct.unpack_from(">I", data, at)[0]
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise ValueError("a chunk is cut off")
        if name in _KEPT_CHUNKS:
            kept.append(data[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end
