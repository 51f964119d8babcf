"""Photos: they still show the same picture, and nothing of where and when it was taken."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.drafting.review.photos import read_photos

WHERE = "Nikon-39.9042N"
SIZE = (24, 16)


def jpeg(orientation: int = 1, *, progressive: bool = False) -> bytes:
    picture = Image.effect_noise(SIZE, 80).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = WHERE
    exif[0x0112] = orientation
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=WHERE.encode(), progressive=progressive)
    return out.getvalue() + b"behind the end: " + WHERE.encode()


def png() -> bytes:
    notes = PngInfo()
    notes.add_text("Place", WHERE)
    out = io.BytesIO()
    Image.new("RGBA", SIZE, "teal").save(out, "PNG", pnginfo=notes)
    return out.getvalue() + WHERE.encode()


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        pytest.param(jpeg(), "image/jpeg", id="jpeg"),
        pytest.param(jpeg(progressive=True), "image/jpeg", id="progressive"),
        pytest.param(png(), "image/png", id="png"),
    ],
)
def test_picture_without_metadata(tmp_path: Path, data: bytes, mime: str) -> None:
    (tmp_path / "a").write_bytes(data)
    photos, problems = read_photos(["a"], tmp_path)
    assert problems == []
    assert photos[0].mime == mime
    assert WHERE.encode() in data
    assert WHERE.encode() not in photos[0].data
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(photos[0].data))
    assert after.tobytes() == before.tobytes()
    assert not dict(after.getexif())


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_pictures_stay_turned(tmp_path: Path, orientation: int) -> None:
    (tmp_path / "a").write_bytes(jpeg(orientation))
    photos, _ = read_photos(["a"], tmp_path)
    assert dict(Image.open(io.BytesIO(photos[0].data)).getexif()) == {0x0112: orientation}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(None, "can't be read", id="missing"),
        pytest.param(b"", "neither JPEG nor PNG", id="empty"),
        pytest.param(b"<svg onload=alert(1)>", "neither JPEG nor PNG", id="svg"),
        pytest.param(jpeg()[:300], "damaged", id="jpeg cut off"),
        pytest.param(b"\xff\xd8\xff" + b"a" * 50, "damaged", id="no jpeg"),
        pytest.param(png()[:40], "damaged", id="png cut off"),
        pytest.param(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", "damaged", id="endless chunk"),
        pytest.param(b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "5.0 MiB", id="large"),
    ],
)
def test_what_cannot_be_shown_is_named(tmp_path: Path, data: bytes | None, message: str) -> None:
    if data is not None:
        (tmp_path / "a").write_bytes(data)
    photos, problems = read_photos(["a"], tmp_path)
    assert photos == []
    assert len(problems) == 1
    assert problems[0].startswith("a ")
    assert message in problems[0]


def test_addresses_are_passed_over_and_many_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(png())
    photos, problems = read_photos(["https://a.cn/b.jpg", *["a"] * 14], tmp_path)
    assert len(photos) == 12
    assert len(problems) == 2
