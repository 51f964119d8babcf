"""jieba's dictionary and our corpus in → the words that texts are read aloud in.

    python -m engine.moderation.build_heard      writes engine/moderation/heard.tsv again

The same dictionary and corpus give the same list.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

from engine.moderation.aloud import LONGEST_WORD, WORDS
from engine.moderation.classifier.shipping import bundled_corpus
from engine.moderation.finding import NORMAL
from engine.text import fold_text, words

_CHAT = 0.6  # the corpus's share in a word's probability
_FEWEST_IN_CHAT = 3
_FEWEST_IN_DICTIONARY = 600  # of 60 million; fewer gave nothing on disguised abuse, and 4x the size

_SOURCE = (
    "# word<TAB>cost, ten times its negative natural log-probability. Made by engine/moderation/"
    "build_heard.py from the corpus and from jieba's dictionary (MIT)."
)


def heard_words() -> dict[str, int]:
    """Return the words, by cost, cheapest first."""
    ordinary, chat = Counter[str](), Counter[str]()
    for row in bundled_corpus():
        said = list(filter(_fits, words(fold_text(row.text))))
        chat.update(said)
        if row.label == NORMAL:
            ordinary.update(said)
    dictionary = {word: count for word, count in _dictionary() if _fits(word)}
    share = _CHAT / chat.total(), (1 - _CHAT) / sum(dictionary.values())
    costs = {}
    for word in {*ordinary, *dictionary}:
        # what breaks the rules is full of words in disguise, which are none to be heard
        seen = chat[word] if word in dictionary else ordinary[word]
        listed = dictionary.get(word, 0)
        if seen >= _FEWEST_IN_CHAT or listed >= _FEWEST_IN_DICTIONARY:
            costs[word] = round(-10 * math.log(seen * share[0] + listed * share[1]))
    return dict(sorted(costs.items(), key=lambda each: (each[1], each[0])))


def _fits(word: str) -> bool:
    return len(word) <= LONGEST_WORD and all("\u4e00" <= char <= "\u9fff" for char in word)


def _dictionary() -> Iterator[tuple[str, int]]:
    text = files("jieba").joinpath("dict.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        word, count, *_ = line.split(" ")
        yield word, int(count)


def main() -> None:
    """Write the shipped file again."""
    lines = [f"{word}\t{cost}" for word, cost in heard_words().items()]
    WORDS.write_text("\n".join([_SOURCE, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
