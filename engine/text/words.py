"""A folded text in → its words out, as jieba cuts them (rjieba: jieba's dictionary in Rust).

`words` loses nothing: its words joined are the text again, so offsets are running lengths.
`search_words` gives what an index wants: long words with the words inside them, no blanks and no
punctuation. Fold a text first (`engine.text.fold`); case, width and script are taken as they come.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.text.fold import fold_text

COMMUNITY_WORDS = "knowledge/words/community.txt"

_SURROGATES = re.compile("[\ud800-\udfff]")  # rjieba takes what UTF-8 can hold
_ENTRY = re.compile(r"(\S+)(?:[ \t]+(\d{1,9}))?(?:[ \t]+([A-Za-z]{1,8}))?", re.ASCII)


class Segmenter:
    """Cuts text into words, knowing jieba's dictionary and, if given, a list of one's own.

    Words are added while it is made and never later, so one segmenter serves any number of
    threads (rjieba refuses to add a word while another thread cuts). It holds its own copy of the
    dictionary: 0.1 s to make, about 24 MB.

    Attributes:
        added: How many words of the list were taken.
    """

    def __init__(self, word_list: Path | None = None, *, jieba: Any = None) -> None:
        """Load the dictionary and add a word list.

        Args:
            word_list: A UTF-8 text file of lines `word [frequency] [tag]` as for jieba; empty
                lines and lines that start with `#` are left out. Words are folded. Without a
                frequency a word gets one that keeps it whole.
            jieba: What cuts; by default a new `rjieba.Jieba()`.

        Raises:
            RecipeError: When the list can't be read or a line is malformed.
        """
        if jieba is None:
            import rjieba

            jieba = rjieba.Jieba()
        self._jieba = jieba
        entries = [] if word_list is None else _read_word_list(word_list)
        for word, frequency, tag in entries:
            jieba.add_word(word, frequency, tag)
        self.added = len(entries)

    def words(self, text: str) -> list[str]:
        """Cut a text into words, blanks and punctuation included; joined they are the text."""
        return _cut(self._jieba.cut, text)

    def tagged(self, text: str) -> list[tuple[str, str]]:
        """Cut a folded text into (word, part of speech), as ICTCLAS names them: n, v, r, …"""
        return [(word, tag) for word, tag in self._jieba.tag(_SURROGATES.sub(" ", text))]

    def knows(self, word: str) -> bool:
        """Whether the dictionary or the list holds a word, folded."""
        return bool(self._jieba.has_word(word))

    def search_words(self, text: str) -> list[str]:
        """Cut a text for an index: words and the words within, each with a letter or a digit."""
        words = _cut(self._jieba.cut_for_search, _SURROGATES.sub(" ", text))
        return [word for word in words if word.isalnum() or any(map(str.isalnum, word))]


def words(text: str) -> list[str]:
    """Cut a folded text into words with the default segmenter; see `Segmenter.words`."""
    return default_segmenter().words(text)


def search_words(text: str) -> list[str]:
    """Cut a folded text for an index with the default segmenter; see `Segmenter.search_words`."""
    return default_segmenter().search_words(text)


def default_segmenter() -> Segmenter:
    """Return the segmenter that everybody shares, which knows the bundled community words.

    Made at its first use, once even when threads race for it.
    """
    with _lock:
        return _make_default()


_lock = Lock()


@cache
def _make_default() -> Segmenter:
    """Add the community words to the dictionary that importing rjieba loads anyway.

    That saves 0.1 s and 24 MB; it is safe because only this module imports rjieba.
    """
    import rjieba

    return Segmenter(bundled(COMMUNITY_WORDS), jieba=rjieba)


def _cut(cut: Any, text: str) -> list[str]:
    """Cut any string, lone surrogates included."""
    try:
        return list(cut(text))
    except UnicodeEncodeError:
        start, pieces = 0, []
        for word in cut(_SURROGATES.sub("\ufffd", text)):
            pieces.append(text[start : start + len(word)])
            start += len(word)
        return pieces


def _read_word_list(path: Path) -> list[tuple[str, int | None, str | None]]:
    """Return (folded word, frequency, tag) of each line, or raise naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"Can't read the word list {path}: {error}. Give a UTF-8 text file of words."
        ) from error
    entries: list[tuple[str, int | None, str | None]] = []
    for number, line in enumerate(lines, start=1):
        if not (line := line.strip()) or line.startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line)
        word = fold_text(entry[1]) if entry else ""
        if entry is None or not word or " " in word:
            raise RecipeError(
                f"{path}, line {number}: '{line}' is not 'word [frequency] [tag]'."
                " Write for example '私域', '私域 1000' or '私域 1000 n'."
            )
        entries.append((word, int(entry[2]) if entry[2] else None, entry[3]))
    return entries
