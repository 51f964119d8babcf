"""Bytes of a .docx or .pptx in → a small, proven zip archive that an Office parser may open.

An Office file is a zip of XML parts, and a zip can lie: kilobytes that unfold into gigabytes,
a directory that understates them. Parsers read every part whole, so nothing reaches them but
what was unfolded here, in small pieces, under a limit.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

from engine.errors import DocumentError

MAX_PARTS = 10_000
MAX_UNFOLDED = 256 * 1024 * 1024
"""Bytes that all parts may declare together, pictures included."""
MAX_XML = 64 * 1024 * 1024
"""Bytes of XML that are unfolded; the parsed tree takes about twenty times as much memory."""
MAX_RATIO = 100
"""Declared bytes for each byte on disk; office documents stay below 30."""
_SMALL = 8 * 1024 * 1024
"""Declared bytes below which the ratio says nothing."""

_CHUNK = 1 << 16
_PART = b"PK\x01\x02"
_OTHER = "Give it the ending of what it is"
_NEXT = "Open it in Word, WPS or PowerPoint and save it again, or leave it out"


def unfold(data: bytes, folder: str) -> BytesIO:
    """Return an uncompressed copy of the archive that holds its XML; other parts are emptied.

    `folder` is where this kind of document keeps its parts: "word/" or "ppt/".

    Raises DocumentError for an archive of another kind, or one that is damaged, protected, too
    large once unfolded, or whose XML declares entities (Office never does; it is how XML is
    made to unfold or to fetch).
    """
    if data.count(_PART) > MAX_PARTS:
        raise DocumentError(f"it is a zip archive of more than {MAX_PARTS:,} parts. {_NEXT}")
    copy = BytesIO()
    try:
        with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(copy, "w") as target:
            members = {member.filename: member for member in source.infolist()}
            if not any(name.startswith(folder) for name in members):
                raise DocumentError(f"it is a zip archive without {folder}. {_OTHER}")
            _check_declared(list(members.values()), len(data))
            left = MAX_XML
            for name, member in members.items():
                xml = _read(source, member, left) if _is_xml(name) else b""
                left -= len(xml)
                target.writestr(name, xml)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise DocumentError(f"it is damaged as a zip archive ({error}). {_NEXT}") from error
    copy.seek(0)
    return copy


def _is_xml(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _check_declared(members: list[zipfile.ZipInfo], size: int) -> None:
    total = sum(member.file_size for member in members)
    if total > MAX_UNFOLDED:
        raise DocumentError(
            f"it would unfold to {total:,} bytes; the limit is {MAX_UNFOLDED:,}. "
            "Take out pictures or split it"
        )
    if total > _SMALL and total > size * MAX_RATIO:
        raise DocumentError(
            f"it would unfold to {total // size} times its size, as zip bombs do; "
            f"the limit is {MAX_RATIO}. {_NEXT}"
        )
    if any(member.flag_bits & 1 for member in members):
        raise DocumentError(
            "it is protected by a password. Save a copy without one, or leave it out"
        )
    if any(member.compress_type not in {0, zipfile.ZIP_DEFLATED} for member in members):
        raise DocumentError(f"it is packed in a way Office does not use. {_NEXT}")


def _read(source: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> bytes:
    """Unfold one part piece by piece: at most `left` bytes, whatever its directory entry says."""
    pieces: list[bytes] = []
    with source.open(member) as stream:
        while piece := stream.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                raise DocumentError(f"it holds more than {MAX_XML:,} bytes of XML. Split it")
            pieces.append(piece)
    xml = b"".join(pieces)
    if any("<!DOCTYPE".encode(encoding) in xml for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
        raise DocumentError(f"it declares XML entities in {member.filename!r}. {_NEXT}")
    return xml
