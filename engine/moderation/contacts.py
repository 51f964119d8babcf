"""A folded text in → the contacts in it: numbers, handles, links, invitations, payment requests.

`engine.moderation.addresses` finds what leads to somebody; phrases that invite (速来群) or ask for
money (发我红包) are found here. The words for both are in `knowledge/lexicon/contacts.yaml`. Time
is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from operator import itemgetter

from engine.bundled import bundled
from engine.moderation.addresses import MOST, AddressFinder, Digits
from engine.moderation.contact_words import (
    CONTACT_WORDS,
    ContactWords,
    either,
    phrases,
    read_contact_words,
)
from engine.moderation.finding import Span
from engine.moderation.links import Hit, Kind, allowed, plain_domain
from engine.text.fold import Folded

__all__ = ["Contact", "Kind", "allowed", "domain_of", "find_contacts", "plain_domain", "well_known"]

well_known: frozenset[str]
"""Public sites that ordinary groups share, as plain domains; read at its first use."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One way to reach somebody outside the group, or a request to pay."""

    kind: Kind
    """`invite` leads into a group, a shop or an app; `payment` asks for money."""
    value: str
    """Digits, a handle, a code or a phrase, as folded; of a link its host or `host/path`."""
    span: Span
    """Where the value stands in the original text, as (start, end) in characters."""


def find_contacts(folded: Folded) -> tuple[Contact, ...]:
    """Find the contacts of a text, in order; their spans don't overlap.

    At most 1,000 of a kind of pattern are reported, which bounds the time of hostile texts.
    """
    return _finder().find(folded)


def domain_of(contact: Contact) -> str:
    """The plain domain of a link or an e-mail address; empty for contacts that have none."""
    return plain_domain(contact.value) if "." in contact.value else ""


def __getattr__(name: str) -> frozenset[str]:
    if name == "well_known":
        return _words().links.well_known
    raise AttributeError(f"Module {__name__!r} has no attribute {name!r}.")


@cache
def _words() -> ContactWords:
    return read_contact_words(bundled(CONTACT_WORDS))


@cache
def _finder() -> _Finder:
    return _Finder(_words())


_LATIN = re.compile("[a-z0-9]")


class _Finder:
    """Finds contacts; made once from the words, safe for any number of threads."""

    def __init__(self, words: ContactWords) -> None:
        self._words = words
        self._digits = Digits(words)
        han, digit = self._digits.han, self._digits.digit
        self._signal = re.compile(
            rf"[0-9a-z@{words.code_signs}{han}](?:(?<![{han}])|(?:[\W_]{{0,3}}{digit}){{4}})"
        )
        self._phrase = re.compile(phrases(words.invites + words.payments))
        self._payment = re.compile(phrases(words.payments))
        self._denied_before = re.compile(either(words.denied_before))
        self._denied_after = re.compile(either(words.denied_after))

    @cached_property
    def _addresses(self) -> AddressFinder:
        """Made for the first message that may hold one: half of what the words take to compile."""
        return AddressFinder(self._words, self._digits)

    def find(self, folded: Folded) -> tuple[Contact, ...]:
        """Find the contacts of a folded text: kind after kind, where none was found before."""
        text, hits = folded.text, list[Hit]()
        if self._signal.search(text):
            text, hits = self._addresses.find(folded)
        if self._phrase.search(text):
            hits += islice(self._phrased(text), MOST)
        return _contacts(folded, hits) if hits else ()

    def _phrased(self, text: str) -> Iterator[Hit]:
        """Invitations and requests to pay, unless they are denied or quoted as a fraud."""
        for match in self._phrase.finditer(text):
            start, end = match.span()
            before, after = text[max(0, start - 4) : start], text[end : end + 6]
            cut = bool(_LATIN.match(after) and _LATIN.match(match[0][-1]))
            cut = cut or (match[0][0] == "+" and bool(_LATIN.match(before[-1:])))
            if not (cut or self._denied_before.search(before) or self._denied_after.match(after)):
                kind: Kind = "payment" if self._payment.fullmatch(match[0]) else "invite"
                yield Hit(start, end, kind, match[0], start)


def _contacts(folded: Folded, hits: list[Hit]) -> tuple[Contact, ...]:
    """The hits in order, in the original text; of two in one original character the first."""
    contacts, at = list[Contact](), 0
    for hit in sorted(hits, key=itemgetter(0)):
        start, end = folded.span(hit.start, hit.end)
        if hit.kind and start >= at:
            contacts.append(Contact(hit.kind, hit.value, (start, end)))
            at = end
    return tuple(contacts)
