"""A folded text in → the links in it: URLs, bare domains, e-mail addresses; and domains compared.

A bare domain is told from a file name, a version or a piece of code by its ending: the lists of
`knowledge/lexicon/contacts.yaml` say which endings count where. Dots may be disguised (点, 。, 丶,
[dot]) before the endings that ads use. Images are no links. Time is linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple
from urllib.parse import unquote

from engine.moderation.contact_words import HAN, LinkWords
from engine.text.fold import Folded

Kind = Literal["phone", "qq", "wechat", "telegram", "email", "url", "domain", "invite", "payment"]


class Hit(NamedTuple):
    """A contact by its place in the folded text; a tuple, as there may be many."""

    start: int
    end: int
    kind: Kind | None
    """None: nothing to report (an image), nor anything else to be looked for here."""
    value: str
    begin: int
    """Where the name before the value begins, or `start`."""


_LABEL = "a-z0-9\u00df-\u058f-"  # what fold leaves of Latin, Greek, Cyrillic and Armenian letters
_HAN_NAME = re.compile(rf"(?<![{HAN}])[{HAN}]{{2,6}}$")
_REST = r"!#-&(-;=?-_a-~"  # printable ASCII but quotes, blanks, < and >
_CLOSING = ".,;:!?)]}*~|\\"
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:[/\\]{2}|https?:|mailto:|[/\\]{2})[/\\]*")
_PLAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_PORT = re.compile(r":\d*$")
_DOUBTFUL = " 。,、"  # instead of a dot these also end sentences
_LONGEST_HOST = 253
_KEYCAPS = "\ufe0e\ufe0f\u20e3"  # marks that belong to emoji digits, not to letters


class LinkFinder:
    """Finds the links of a text; made once from the words, safe for any number of threads."""

    def __init__(self, words: LinkWords) -> None:
        self._words = words
        self._known = words.hot | words.bare | words.files | words.others
        hot = "|".join(sorted(words.hot, key=len, reverse=True))
        dots = re.escape(words.dots)
        special = (
            rf" ?(?:加?[{dots}.]|[\[(](?:\.|dot|点)[\])]|(?<= )dot(?= )) ?"
            rf"(?=(?:{hot})(?![{_LABEL}]))|(?<=www)[{dots}]"
        )
        host = rf"[{_LABEL}]++(?:(?:\.|{special})[{_LABEL}]++)++"
        self._invite_paths = tuple(entry for entry in words.invites if "/" in entry)
        self._dot = re.compile(rf"\.|{special}")
        self._hint = re.compile(rf"[{dots}d\[(](?<=[{_LABEL} ].)")
        self._link = re.compile(
            rf"(?=[{_LABEL}._%+])(?:h(?:tt|xx)ps? ?: ?[/\\][ /\\]{{0,3}}"
            rf"(?P<url>[{_REST}\u00df-\u058f]++(?:[{dots}](?=(?:{hot})(?![{_LABEL}]))[{_REST}]++)?)"
            rf"|(?<![a-z0-9._%+-])(?P<user>[a-z0-9._%+-]++)(?:@|[\[(]at[\])]|#(?=q))(?P<at>{host})"
            rf"|(?<![{_LABEL}])(?P<host>{host})(?P<rest>(?::\d{{2,5}}(?!\d))?(?:[/?#][{_REST}]*+)?))"
        )
        self._han_ending = re.compile(rf"\.(?<=[{HAN}]\.)(?:{hot})(?![{_LABEL}.])")

    def find(self, folded: Folded) -> Iterator[Hit]:
        """Yield the links of a folded text, images among them."""
        text = folded.text
        if not ("." in text or "://" in text or self._hint.search(text)):
            return
        for match in self._link.finditer(text):
            if match["url"]:
                link = self._url(folded, match)
            elif match["user"]:
                link = self._email(folded, match)
            else:
                link = self._domain(folded, match)
            if link:
                yield link
        for match in self._han_ending.finditer(text):
            name = _HAN_NAME.search(text, max(0, match.start() - 7), match.start())
            if name and not name[0].endswith(tuple(self._words.not_names)):
                start, end = name.start(), match.end()
                yield Hit(start, end, "domain", text[start:end], start)

    def _url(self, folded: Folded, match: re.Match[str]) -> Hit | None:
        """A link with its scheme: any host with a dot counts, addresses in numbers too."""
        url = match["url"].rstrip(_CLOSING)
        begin = match.start("url")
        authority = _authority(url)
        host = authority[authority.rfind("@") + 1 :]
        at = begin + len(authority) - len(host)
        bare = _PORT.sub("", host)
        labels = self._labels(unquote(bare).lower().strip("."))
        if not (len(labels) > 1 or bare.isdigit() or bare == "localhost" or host[:1] == "["):
            return None
        plain = self._host(folded, at, at + len(bare), labels)
        end = begin + len(url)
        rest = host[len(bare) :] + _written(folded, begin + len(authority), end)
        return self._link_to(match.start(), end, plain, rest, scheme=True)

    def _email(self, folded: Folded, match: re.Match[str]) -> Hit | None:
        """An e-mail address, if its domain has an ending that exists."""
        labels = self._labels(match["at"])
        if labels[-1] not in self._known or not match["user"].strip("._%+-"):
            return None
        host = self._host(folded, match.start("at"), match.end("at"), labels)
        return Hit(*match.span(), "email", f"{match['user']}@{host}", match.start())

    def _domain(self, folded: Folded, match: re.Match[str]) -> Hit | None:
        """A link without a scheme, if its ending and its surroundings make it one."""
        labels = self._labels(match["host"])
        if not self._believable(labels, match, folded.text):
            return None
        host_end = match.end("host")
        end = host_end + len(match["rest"].rstrip(_CLOSING))
        host = self._host(folded, match.start(), host_end, labels)
        return self._link_to(match.start(), end, host, _written(folded, host_end, end))

    def _labels(self, host: str) -> list[str]:
        return host.split(".") if _PLAIN.fullmatch(host) else self._dot.split(host)

    def _believable(self, labels: list[str], match: re.Match[str], text: str) -> bool:
        """Whether these labels are a domain and not a file, a version, a time or code."""
        words, ending, name, host = self._words, labels[-1], labels[-2], match["host"]
        path = match["rest"][:1] == "/" and len(match["rest"]) > 1
        if (
            ending not in self._known
            or len(host) > _LONGEST_HOST
            or not name.strip("-")
            or (name.isdigit() and len(name) < 2 and not path)  # 1.com 2.cn
            or (host != ".".join(labels) and not _disguised(host, name))
            or text[match.end() : match.end() + 1] == "("  # a call: plt.show(
            or (len(labels) > 2 and labels[0] in words.packages and ending not in words.hot)
        ):
            return False
        if text[match.start() - 1 : match.start()] in ("/", "\\"):  # src/main.cc
            return ending in words.hot and name not in words.stems
        if path or labels[0] == "www":
            return True
        if ending in words.hot or ending in words.bare:
            return name not in words.stems or ending in words.plain
        return ending in words.others and ("-" in name or _mixed(name))

    def _link_to(self, start: int, end: int, host: str, rest: str, *, scheme: bool = False) -> Hit:
        """Name the kind of a link: image, person, group, page or site."""
        path = rest.partition("?")[0].partition("#")[0].lower()
        address = host + rest
        kind: Kind | None = "url" if scheme or rest else "domain"
        if "/" in path and path.rpartition(".")[2] in self._words.images:
            kind = None
        elif host in self._words.telegram and len(path) > 1:
            kind = "telegram"
        elif host in self._words.invites or address.lower().startswith(self._invite_paths):
            kind = "invite"
        return Hit(start, end, kind, address, start)

    def _host(self, folded: Folded, start: int, end: int, labels: list[str]) -> str:
        """The plain host of labels found between two folded offsets.

        Folding takes accents off, and a browser doesn't: bilibílí.com is another site than
        bilibili.com. So where the original has accents the host is made from the original.
        """
        first, last = folded.span(start, end)
        original = folded.original[first:last]
        if original.isascii() or not _accented(original):
            return ".".join(labels)
        return unicodedata.normalize("NFKC", original).lower()


def plain_domain(address: str) -> str:
    """The host of a domain, URL or e-mail address, lowered, in ASCII (IDNA), without port or dot.

    What stands before an `@` is no host (http://bilibili.com@evil.top is evil.top), and letters
    of other alphabets become `xn--…`, so look-alikes are never equal. Empty where there is none.
    """
    host = unicodedata.normalize("NFKC", address).strip().lower()
    host = _authority(_SCHEME.sub("", host, count=1))
    host = unquote(host[host.rfind("@") + 1 :])
    return _punycode(_PORT.sub("", host).replace("。", ".").strip("."))


def allowed(domain: str, allow: Collection[str]) -> bool:
    """Whether a domain or a domain above it is in a list: bilibili.com allows www.bilibili.com.

    Args:
        domain: A domain, in whatever spelling; a URL works too.
        allow: Plain domains, as `plain_domain` returns them; a set is fastest.
    """
    host = domain if _PLAIN.fullmatch(domain) else plain_domain(domain)
    if not host or len(host) > _LONGEST_HOST:
        return False
    if host in allow:
        return True
    dot = host.find(".")
    while dot >= 0:
        if host[dot + 1 :] in allow:
            return True
        dot = host.find(".", dot + 1)
    return False


def _authority(url: str) -> str:
    """What stands before the path: user, host and port."""
    return re.split(r"[/\\?#]", url, maxsplit=1)[0]


def _punycode(host: str) -> str:
    """A lowered host in ASCII, label by label (RFC 3492)."""
    if host.isascii() or len(host) > _LONGEST_HOST:
        return host
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
        for label in host.split(".")
    )


def _accented(text: str) -> bool:
    """Whether a letter carries a mark, such as í."""
    parts = unicodedata.normalize("NFKD", text)
    return any(unicodedata.category(c)[0] == "M" and c not in _KEYCAPS for c in parts)


def _written(folded: Folded, start: int, end: int) -> str:
    """A piece of the text in its original letters where that is plain ASCII, else folded."""
    if start == end:
        return ""
    first, last = folded.span(start, end)
    original = folded.original[first:last]
    return original if original.isascii() else folded.text[start:end]


def _mixed(name: str) -> bool:
    """Whether a name has both letters and digits."""
    return not name.isalpha() and not name.isdigit()


def _disguised(host: str, name: str) -> bool:
    """Whether a domain whose dots are not plain dots is one: 晚上8点top榜 is none."""
    if any(sign in host for sign in _DOUBTFUL):
        return _mixed(name)
    return len(name) > (2 if name.isdigit() else 1)
