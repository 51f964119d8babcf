"""Briefs: what is read, what is refused, and how the refusal reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bundled import bundled
from engine.drafting import Brief
from engine.errors import BriefError
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "examples" / "briefs").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_load(path: Path) -> None:
    brief = Brief.load(path)
    assert brief.community
    assert len(list(brief.facts())) >= 15


def test_there_are_six_examples() -> None:
    assert len(EXAMPLES) >= 6


def test_template_is_a_valid_brief() -> None:
    assert Brief.load(bundled("knowledge/brief.yaml")).community == "周一共读"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("community: 群\ncomunity: 群", "unknown key 'comunity'. Did you mean 'community'?"),
        ("community: 群\nhost: {nam: 林}", "unknown key 'host.nam'. Did you mean 'name'?"),
        ("community: 群\noffer: {zzz: 1}", "Keys here: what, verb, quota, until"),
        ("brand: 青禾", "key 'community' is missing"),
        ("community: 群\ntone: angry", "key 'tone'"),
        ("community: '。！'", "must hold the group's name"),
        ("community: [群]", "write one text here"),
        ("community: 群\nkeyword: yes", "write words in quotes"),
        ("community: 群\nbrand: " + "长" * 3000, "3,000 characters; the limit is 2,000"),
        ("community: 群: 群", "not valid YAML at line 1"),
        ("a: &a [*a]\ncommunity: x", "unknown key"),
        ("", "holds no keys"),
        ("- 一\n- 二", "holds no keys"),
        ("just words", "holds no keys"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)  # fmt: skip
def test_refusals_name_the_key_and_the_way_out(text: str, message: str) -> None:
    with pytest.raises(BriefError) as refusal:
        Brief.parse(text, "b.yaml")
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("b.yaml")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        pytest.param(None, "No brief at", id="missing"),
        pytest.param("社群".encode("gb18030"), "not UTF-8", id="wrong-encoding"),
        pytest.param(b"community: x\n" * 40_000, "larger than 256 KiB", id="huge"),
        pytest.param(b"\x00\x01", "not valid YAML", id="binary"),
    ],
)
def test_unreadable_files(tmp_path: Path, write: bytes | None, message: str) -> None:
    path = tmp_path / "brief.yaml"
    if write is not None:
        path.write_bytes(write)
    with pytest.raises(BriefError, match=message):
        Brief.load(path)


def test_a_folder_is_no_brief(tmp_path: Path) -> None:
    with pytest.raises(BriefError, match="can't be read"):
        Brief.load(tmp_path)


def test_what_yaml_makes_of_plain_words_is_text_again() -> None:
    brief = Brief.parse(
        "community: 2026\nprice: 39\noffer: {until: 2026-12-05}\npains: 一个\nrules:\n"
    )
    assert (brief.community, brief.price, brief.offer.until) == ("2026", "39", "2026-12-05")
    assert brief.pains == ("一个",)
    assert brief.rules == ()


def test_byte_order_mark_and_blanks() -> None:
    assert Brief.parse("community:   周一　共读  \n").community == "周一 共读"
