"""A group's own words and RE2 patterns + a folded message → where they stand in the original.

Words are compared folded, patterns run on the folded text and on the original, without regard to
case. Both take time in proportion to the text, whatever was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.moderation.automaton import Automaton
from engine.moderation.finding import Finding, Span
from engine.text.fold import Folded, fold, fold_text

MAX_PLACES = 100
"""So many places of one pattern, or of one word in a finding, are looked at: the first ones."""

_LONGEST_PATTERN = 500  # characters
_MEMORY = 1 << 20  # bytes of one compiled pattern with its automaton
_MEMORY_OF_ALL = 1 << 24


class Wording:
    """Words and patterns under labels, ready to be looked for; never changes, so threads share it.

    A label is a category, or empty where there is but one.
    """

    def __init__(self, parts: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        """Fold the words and compile the patterns.

        Args:
            parts: Label → words and patterns.

        Raises:
            ValueError: when a pattern can't be used; says why.
        """
        self._labels: dict[str, list[str]] = {}
        self._patterns: list[tuple[str, str, Any]] = []
        for label, (words, patterns) in parts.items():
            for word in dict.fromkeys(fold_text(word).strip() for word in words):
                self._labels.setdefault(word, []).append(label)
            self._patterns += [(label, text, compile_pattern(text)) for text in patterns]
        self._automaton = Automaton(self._labels) if self._labels else None
        self._any = _any_of([text for _, text, _ in self._patterns])

    def __bool__(self) -> bool:
        return bool(self._labels or self._patterns)

    def find(self, folded: Folded) -> Iterator[tuple[Span, str, str]]:
        """Yield the places in the original with the label and the word or pattern found there.

        A word that begins or ends with a Latin letter or a digit is not found inside a longer one.
        """
        text = folded.text
        for start, end in self._automaton.find(text) if self._automaton else ():
            if _whole(text, start, end):
                for label in self._labels[text[start:end]]:
                    yield folded.span(start, end), label, text[start:end]
        if not self._patterns:
            return
        for label, pattern, (start, end) in self._matches(text):
            yield folded.span(start, end), label, pattern
        original = folded.original.encode("utf-8", "replace").decode()  # lone surrogates: ?
        if original != text:
            for label, pattern, span in self._matches(original):
                yield span, label, pattern

    def holds(self, text: str) -> bool:
        """Whether a text holds any of it, be it as part of a longer Latin word."""
        folded = fold(text)
        if self._automaton and self._automaton.find(folded.text):
            return True
        return bool(self._patterns) and any(self.find(folded))

    def _matches(self, text: str) -> Iterator[tuple[str, str, Span]]:
        if self._any and not self._any.search(text):
            return
        for label, pattern, compiled in self._patterns:
            for count, match in enumerate(compiled.finditer(text)):
                if count == MAX_PLACES:
                    break
                if match.start() < match.end():
                    yield label, pattern, match.span()


def check_denied(folded: Folded, denied: Wording) -> tuple[Finding, ...]:
    """What a message holds of a group's denied words and patterns, one finding for each of them.

    Args:
        folded: The message.
        denied: Words and patterns by category, as `Rules.deny`.
    """
    if not denied:
        return ()
    places: dict[tuple[str, str], list[Span]] = {}
    for span, category, what in denied.find(folded):
        found = places.setdefault((category, what), [])
        if len(found) < MAX_PLACES:
            found.append(span)
    return tuple(
        Finding(category, "rule", 1.0, tuple(sorted(set(spans))), what)
        for (category, what), spans in places.items()
    )


def compile_pattern(text: str) -> Any:
    """Compile a pattern by RE2.

    Raises:
        ValueError: it is too long or too large, no RE2, or matches an empty text; says what to do.
    """
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(
            f"a pattern of {len(text)} characters; {_LONGEST_PATTERN} are allowed, list words"
            " instead"
        )
    try:
        compiled = _compiled(text, _MEMORY)
    except ValueError as error:
        raise ValueError(
            f"'{text}' is no RE2 pattern ({error}); RE2 knows no look-around and no backreference"
        ) from error
    if compiled.search(""):
        raise ValueError(f"'{text}' matches an empty text and so everything; write + for *")
    return compiled


def _any_of(patterns: Sequence[str]) -> Any:
    """One pattern that tells in one walk whether any of several is found; None: can't be had."""
    if len(patterns) < 2:
        return None
    try:
        return _compiled("|".join(f"(?:{pattern})" for pattern in patterns), _MEMORY_OF_ALL)
    except ValueError:  # too large together: each is then looked for by itself
        return None


def _compiled(text: str, memory: int) -> Any:
    """A pattern of RE2, or a ValueError that says why there is none."""
    import re2

    options = re2.Options()
    options.max_mem = memory
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        why = error.args[0]
        raise ValueError(why.decode() if isinstance(why, bytes) else str(why)) from error


def _whole(text: str, start: int, end: int) -> bool:
    """Whether Latin letters and digits at the edges don't go on beyond them."""
    return not (
        (_latin(text[start]) and _latin(text[start - 1 : start]))
        or (_latin(text[end - 1]) and _latin(text[end : end + 1]))
    )


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
