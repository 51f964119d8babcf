"""XML that somebody else wrote in → its tree or plain data, within bounds; an answer → XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from engine.errors import InputError

MOST_TAGS = 4_000
"""Each takes some microseconds to read; no message of WeCom or card of QQ has a hundred."""
MOST_LEVELS = 8


def read_tree(text: str | bytes) -> Element:
    """The root element.

    Raises:
        InputError: it is no XML, has too many tags, or declares entities or a document type.
    """
    tags = text.count("<") if isinstance(text, str) else text.count(b"<")
    if tags > MOST_TAGS:
        raise InputError(f"The XML has {tags:,} tags, more than {MOST_TAGS:,}; it is refused.")
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # ValueError: a lone surrogate, a NUL; LookupError: an encoding that there isn't
        raise InputError(
            f"The XML can't be read ({type(error).__name__}). Look at what was sent."
        ) from error
    return root


def read_xml(text: str | bytes) -> dict[str, Any]:
    """The elements below the root: a text, an object, or a list where a name stands repeatedly.

    Raises:
        InputError: as `read_tree`, or it is nested too deep.
    """
    data = _plain(read_tree(text), 0)
    return data if isinstance(data, dict) else {}


def _plain(element: Element, level: int) -> Any:
    if level > MOST_LEVELS:
        raise InputError(f"The XML is nested more than {MOST_LEVELS} levels; it is refused.")
    if len(element) == 0:
        return (element.text or "").strip()
    data: dict[str, Any] = {}
    for child in element:
        value = _plain(child, level + 1)
        if child.tag not in data:
            data[child.tag] = value
        elif isinstance(data[child.tag], list):
            data[child.tag].append(value)
        else:
            data[child.tag] = [data[child.tag], value]
    return data


def write_xml(data: Mapping[str, Any]) -> str:
    """Data as XML below a root `xml`: texts, and objects of texts."""
    root = Element("xml")
    _grow(root, data)
    return tostring(root, encoding="unicode")


def _grow(element: Element, data: Mapping[str, Any]) -> None:
    for name, value in data.items():
        child = SubElement(element, name)
        if isinstance(value, Mapping):
            _grow(child, value)
        else:
            child.text = str(value)
