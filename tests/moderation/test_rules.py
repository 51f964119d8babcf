from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RecipeError
from engine.moderation.rulebook import Rulebook, lint
from engine.moderation.rules import RulesFile
from engine.moderation.wording import MAX_PLACES, Wording, check_denied, compile_pattern
from engine.text.fold import fold

WRONG = {
    "unknown key at the top": ("treshold: {}", 1, "treshold", "Did you mean 'thresholds'?"),
    "unknown key in a threshold": (
        "thresholds:\n  ad: {reveiw: 0.4}",
        2,
        "thresholds.ad.reveiw",
        "Did you mean 'review'?",
    ),
    "unknown key in a rule": (
        "rules:\n- {number: 1, txt: x}",
        2,
        "rules.0.txt",
        "Did you mean 'text'?",
    ),
    "unknown key in a window": (
        "flood:\n  messages: {count: 3, second: 5}",
        2,
        "flood.messages.second",
        "Did you mean 'seconds'?",
    ),
    "unknown key in quiet hours": (
        "quiet: {form: '23:00', to: '07:00'}",
        1,
        "quiet.form",
        "Did you mean 'from'?",
    ),
    "unknown key in denied words": ("deny:\n  ad: {wrds: [x]}", 2, "deny.ad.wrds", "'words'"),
    "unknown key unlike any": ("allow:\n  zzz: 1", 2, "allow.zzz", "Keys here: phrases, patterns"),
    "missing key": ("rules:\n- {number: 1}", 2, "rules.0.text", "is missing"),
    "unknown category": ("thresholds: {adz: off}", 1, "thresholds.adz", "'adz' is no category"),
    "threshold of a topic": ("thresholds: {'custom:x': off}", 1, "thresholds.custom:x", "topics"),
    "threshold above 1": ("thresholds: {ad: {review: 2}}", 1, "thresholds.ad.review", "got 2"),
    "threshold on": ("thresholds: {ad: {review: on}}", 1, "thresholds.ad.review", "got True"),
    "review above block": (
        "thresholds:\n  ad: {review: 0.9, block: 0.8}",
        2,
        "thresholds.ad",
        "review 0.9 is above block 0.8",
    ),
    "review above inherited block": (
        "thresholds: {ad: {review: 0.9}}",
        1,
        "thresholds.ad",
        "review 0.9 is above block 0.85",
    ),
    "number for a text": ("exempt: {senders: [10001]}", 1, "exempt.senders.0", "put 10001 in quo"),
    "text for a list": ("exempt: {senders: x}", 1, "exempt.senders", "must be a list"),
    "list for a mapping": ("allow: [x]", 1, "allow", "keys here: phrases, patterns, domains"),
    "truth for a number": ("ladder_hours: true", 1, "ladder_hours", "got True"),
    "text for a truth value": ("dry_run: 'yes'", 1, "dry_run", "got 'yes'"),
    "policy": ("links: forbid", 1, "links", "'allow', 'review' or 'block'"),
    "rule in two lines": (
        'rules: {add: [{number: 8, text: "a\\nb"}]}',
        1,
        "rules.7.text",
        "one line",
    ),
    "rule number twice": (
        "rules:\n  add:\n  - {number: 3, text: 再说一遍}",
        3,
        "rules.7.number",
        "rule 3 stands twice",
    ),
    "category that no rule covers": (
        "thresholds:\n  politics: {review: 0.5}",
        2,
        "thresholds.politics",
        "no rule covers 'politics'",
    ),
    "topic that no rule covers": (
        "topics: [{name: 股票, examples: [今天涨停]}]",
        1,
        "topics.0.name",
        "no rule covers 'custom:股票'",
    ),
    "rule for a topic that isn't there": (
        "rules: {add: [{number: 8, text: 不剧透, categories: ['custom:剧透']}]}",
        1,
        "rules.7.categories.0",
        "no topic '剧透'",
    ),
    "topic twice": (
        "rules: {add: [{number: 8, text: 不聊股票, categories: ['custom:股票']}]}\n"
        "topics:\n- {name: 股票, examples: [a]}\n- {name: 股票, examples: [b]}",
        4,
        "topics.1.name",
        "stands twice",
    ),
    "topic of two words": (
        "topics: [{name: 股 票, examples: [a]}]",
        1,
        "topics.0.name",
        "one word",
    ),
    "topic without examples": (
        "topics: [{name: 股票, examples: []}]",
        1,
        "topics.0.examples",
        "at least 1",
    ),
    "word allowed and denied": (
        "allow: {phrases: [加群]}\ndeny:\n  ad:\n    words: [拼单, 加羣]",
        4,
        "deny.ad.words.1",
        "both denied and an allowed phrase",
    ),
    "pattern allowed and denied": (
        "allow: {patterns: ['a+b']}\ndeny: {ad: {patterns: ['a+b']}}",
        2,
        "deny.ad.patterns.0",
        "both denied and allowed",
    ),
    "words denied in a category that is off": (
        "deny:\n  politics: {words: [x]}",
        2,
        "deny.politics",
        "is off under thresholds",
    ),
    "links reviewed without a threshold": (
        "thresholds: {ad: off}\nlinks: review",
        2,
        "links",
        "needs thresholds.ad.review",
    ),
    "contacts blocked without a threshold": (
        "contacts: block\nthresholds: {ad: {block: off}}",
        1,
        "contacts",
        "needs thresholds.ad.block",
    ),
    "flood without a threshold": (
        "title: x\nthresholds: {flood: off}",
        2,
        "thresholds.flood",
        "flood: off",
    ),
    "rules that leave out an inherited category": (
        "title: x\nrules: [{number: 1, text: 都别吵, categories: [abuse]}]",
        2,
        "rules",
        "no rule covers 'ad'",
    ),
    "ladder that doesn't count up": (
        "ladder:\n- {count: 2, action: notice}\n- {count: 2, action: kick}",
        3,
        "ladder.1.count",
        "rising counts",
    ),
    "ladder that gets milder": (
        "ladder:\n- {count: 1, action: kick}\n- {count: 2, action: notice}",
        3,
        "ladder.1.action",
        "notice after kick is no harder",
    ),
    "ladder that stays": (
        "ladder_for:\n  ad:\n  - {count: 1, action: mute, minutes: 9}\n"
        "  - {count: 2, action: mute, minutes: 9}",
        4,
        "ladder_for.ad.1.action",
        "mute (9 min) after mute (9 min)",
    ),
    "mute without an end": ("ladder: [{count: 1, action: mute}]", 1, "ladder.0", "minutes: 10"),
    "minutes without a mute": (
        "ladder: [{count: 1, action: kick, minutes: 3}]",
        1,
        "ladder.0",
        "nothing else has them",
    ),
    "quiet hours of no length": (
        "quiet: {from: '23:00', to: '23:00'}",
        1,
        "quiet",
        "from and to are both 23:00",
    ),
    "quiet hours at no time": ("quiet: {from: '25:00', to: '7'}", 1, "quiet.from", "'23:00'"),
    "time zone": (
        "quiet: {from: '23:00', to: '07:00', time_zone: Asia/Beijing}",
        1,
        "quiet.time_zone",
        "such as Asia/Shanghai",
    ),
    "time zone outside its folder": (
        "quiet: {from: '23:00', to: '07:00', time_zone: ../etc/passwd}",
        1,
        "quiet.time_zone",
        "no time zone",
    ),
    "pattern with look-ahead": (
        "deny: {ad: {patterns: ['a(?=b)']}}",
        1,
        "deny.ad.patterns.0",
        "RE2",
    ),
    "pattern that is too large": (
        "deny: {ad: {patterns: ['(\\p{Han}{50}){20}']}}",
        1,
        "deny.ad.patterns.0",
        "too large",
    ),
    "pattern that is too long": (
        f"deny: {{ad: {{patterns: ['{'x' * 501}']}}}}",
        1,
        "deny.ad.patterns.0",
        "501 characters",
    ),
    "pattern that matches everything": (
        "allow: {patterns: ['(a*)*']}",
        1,
        "allow.patterns.0",
        "matches an empty text",
    ),
    "word that nobody sees": ('deny: {ad: {words: ["\\u200b"]}}', 1, "deny.ad.words.0", "a word"),
    "address for a domain": (
        "allow: {domains: ['https://shop.example.com/a?b']}",
        1,
        "allow.domains.0",
        "such as shop.example.com",
    ),
    "everything for a domain": ("allow: {domains: [com]}", 1, "allow.domains.0", "is no domain"),
    "placeholder": ("notice: {mute: '{name}{text}'}", 1, "notice.mute", "{text} can't be filled"),
    "placeholder that reaches inside": (
        "notice: {mute: '{name.__class__}'}",
        1,
        "notice.mute",
        "can't be filled",
    ),
    "placeholder with a format": ("notice: {mute: '{name!r:>9}'}", 1, "notice.mute", "be filled"),
    "brace without its partner": ("notice: {mute: '{name'}", 1, "notice.mute", "don't match"),
    "example of an unknown topic": (
        "examples: [{text: a, suggestion: pass, category: 'custom:x'}]",
        1,
        "examples.0.category",
        "no topic 'x'",
    ),
    "key twice": ("dry_run: true\ndry_run: false", 2, "dry_run", "first in line 1"),
    "merge key": ("<<: {dry_run: true}", 1, "<<", "unknown key"),
}
GOOD = {
    "nothing but a comment's worth": "dry_run: true",
    "empty keys say nothing": "deny:\nallow:\nthresholds:",
    "times without quotes": "quiet: {from: 23:00, to: 7:30}",
    "everything off": "flood: off\nquiet: off\nlinks: allow\ncontacts: allow\n"
    "thresholds: {ad: off, fraud: off, gambling: {review: off, block: 0.9}, flood: off}",
    "off in quotes": "thresholds: {porn: 'off'}\nflood: {messages: 'off'}",
    "same number, another text": (
        "rules: {remove: [3], add: [{number: 3, text: 新的第三条, categories: [fraud]}]}"
    ),
    "domain in Chinese": "allow: {domains: [例子.中国]}",
    "braces in a notice": "notice: {mute: '{{{name}}} {rule}'}",
    "longer phrase than the denied word": (
        "allow: {phrases: [路口交通]}\ndeny: {porn: {words: [口交]}}"
    ),
}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "group.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "line", "key", "what"), WRONG.values(), ids=WRONG)
def test_wrong_files_are_refused_with_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, what: str
) -> None:
    path = written(tmp_path, text)
    problem = next(problem for problem in lint(path) if problem.key == key)
    assert (problem.path, problem.line) == (path, line)
    assert what in problem.message
    assert problem.message.endswith((".", "?"))


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_files_have_no_problem(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert [str(problem) for problem in lint(path)] == []
    assert Rulebook.open(path).rules.name == "group"


def test_lint_tells_all_problems_at_once_in_order_of_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "links: maybe\n"
        "dry_run: 3\n"
        "topics: [{name: a b, examples: []}]\n"
        "thresholds: {politics: {review: 0.4}}\n"  # no rule covers it: found although links is bad
        "ladder: [{count: 1, action: kick}, {count: 1, action: notice}]\n"
        "nonsense: 1\n",
    )
    assert [problem.key for problem in lint(path)] == [
        "links",
        "dry_run",
        "topics.0.examples",
        "topics.0.name",
        "ladder.1.action",
        "ladder.1.count",
        "nonsense",
    ]
    path.write_text("links: maybe\nthresholds: {politics: {review: 0.4}}\n", encoding="utf-8")
    assert [problem.key for problem in lint(path)] == ["links", "thresholds.politics"]


def test_values_arrive_as_meant(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "quiet: {from: 23:30, to: '7:05'}\n"
        "allow: {domains: [Shop.Example.COM, 例子.中国]}\n"
        "thresholds: {porn: off, ad: {block: off}}\n"
        "ladder: [{count: 2, action: notice}, {count: 4, action: mute, minutes: 5}]\n"
        "flood: {messages: off, repeats: {count: 9}}\n",
    )
    rules = Rulebook.open(path).rules
    assert rules.quiet is not None
    assert (rules.quiet.start, rules.quiet.end) == (23 * 60 + 30, 7 * 60 + 5)
    assert rules.domains == {"shop.example.com", "xn--fsqu00a.xn--fiqs8s"}
    assert "porn" not in rules.levels
    inherited = Rulebook.open("default").rules.levels["ad"]
    assert (rules.levels["ad"].review, rules.levels["ad"].block) == (inherited.review, float("inf"))
    steps = [rules.step("ad", n) for n in range(1, 6)]
    assert [step and step.action for step in steps] == [None, "notice", "notice", "mute", "mute"]
    own = rules.step("abuse")
    assert own is not None and own.action == "notice"
    assert rules.flood.messages is None
    assert rules.flood.repeats == (9, 120, 0.7)
    assert rules.flood.mentions == (8, 60)
    assert rules.flood.join_and_post == 300


QUIET = {
    "before midnight": ("2025-03-01T15:30:00+00:00", True),
    "at the start": ("2025-03-01T15:00:00+00:00", True),
    "a minute before": ("2025-03-01T14:59:59+00:00", False),
    "after midnight": ("2025-03-01T17:00:00+00:00", True),
    "a minute before the end": ("2025-03-01T22:59:00+00:00", True),
    "at the end": ("2025-03-01T23:00:00+00:00", False),
    "at noon there": ("2025-03-01T12:00:00+08:00", False),
    "without a zone": ("2025-03-01T23:30:00", True),
    "the first day of time": ("0001-01-01T00:00:00+14:00", True),
}


@pytest.mark.parametrize(("moment", "quiet"), QUIET.values(), ids=QUIET)
def test_quiet_hours(tmp_path: Path, moment: str, quiet: bool) -> None:
    hours = Rulebook.open(written(tmp_path, "quiet: {from: '23:00', to: '07:00'}")).rules.quiet
    assert hours is not None
    assert hours.cover(datetime.fromisoformat(moment)) is quiet


def test_quiet_hours_within_a_day(tmp_path: Path) -> None:
    hours = Rulebook.open(written(tmp_path, "quiet: {from: '12:00', to: '14:00'}")).rules.quiet
    assert hours is not None
    local = [datetime(2025, 3, 1, hour, tzinfo=hours.zone) for hour in (11, 12, 13, 14)]
    assert [hours.cover(moment.astimezone(UTC)) for moment in local] == [False, True, True, False]


DENIED = {
    "as written": ("明天招代理", [("招代理", (2, 5))]),
    "traditional and spaced by nothing": ("招\u200b代理！", [("招代理", (0, 4))]),
    "twice": ("招代理招代理", [("招代理", (0, 3)), ("招代理", (3, 6))]),
    "whole Latin word": ("vip8 来", [("vip8", (0, 4))]),
    "inside a Latin word": ("avip8s", []),
    "Latin word between Chinese": ("加ＶＩＰ８吧", [("vip8", (1, 5))]),
    "pattern on the folded text": ("加①②③④⑤⑥群", [("加\\d{6}", (0, 7))]),
    "pattern in the other case": ("Xx加123456", [("加\\d{6}", (2, 9))]),
    "pattern on the original": ("看【出货】", [("【出货】", (1, 5))]),
    "lone surrogate before a pattern": ("\ud800【出货】", [("【出货】", (1, 5))]),
    "nothing": ("明天见", []),
    "empty": ("", []),
}


@pytest.mark.parametrize(("text", "found"), DENIED.values(), ids=DENIED)
def test_denied_words_and_patterns(text: str, found: list[tuple[str, tuple[int, int]]]) -> None:
    wording = Wording({"ad": (["招代理", "VIP8"], [r"加\d{6}", "【出货】"])})
    findings = check_denied(fold(text), wording)
    assert [(f.detail, span) for f in findings for span in f.spans] == found
    assert {(f.category, f.source, f.confidence) for f in findings} <= {("ad", "rule", 1.0)}


def test_a_word_may_be_denied_in_two_categories() -> None:
    wording = Wording({"ad": (["刷单"], []), "fraud": (["刷单", "刷單"], [])})
    assert [f.category for f in check_denied(fold("刷单吗"), wording)] == ["ad", "fraud"]


def test_findings_list_a_bounded_number_of_places() -> None:
    wording = Wording({"ad": (["加"], ["加+?"])})
    findings = check_denied(fold("加" * 5000), wording)
    assert [(f.detail, len(f.spans)) for f in findings] == [
        ("加", MAX_PLACES),
        ("加+?", MAX_PLACES),
    ]


def test_patterns_too_large_together_are_found_one_by_one() -> None:
    large = [rf"(\p{{Han}}{{20}}){{2}}{i}" for i in range(90)]
    wording = Wording({"ad": ([], [*large, "终于找到"])})
    assert [f.detail for f in check_denied(fold("这下终于找到了"), wording)] == ["终于找到"]


@given(st.text(max_size=80))
def test_spans_of_denied_words_lie_in_the_message(text: str) -> None:
    wording = Wording({"ad": (["a", "加", "１"], [r"\w", r"[^\x00-\x7f]+"])})
    for finding in check_denied(fold(text), wording):
        assert all(0 <= start < end <= len(text) for start, end in finding.spans)


@given(st.text(max_size=40))
def test_any_pattern_compiles_or_is_refused_with_a_reason(pattern: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ValueError as error:
        assert str(error)
    else:
        assert compiled.search("") is None


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2000)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["off", "ad", "custom:x", "x", "mute", "23:00", "block", "default", "{name}"])
    | st.dates()
)
WORDS = (
    "ad custom:x add remove number name text categories review block words patterns phrases from"
    " to count seconds action minutes examples messages repeats time_zone mute suggestion"
)
KEYS = st.text(max_size=3) | st.sampled_from(WORDS.split())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60)  # it writes files
@given(st.dictionaries(st.sampled_from([*RulesFile.model_fields, "other"]), VALUES, max_size=5))
def test_any_file_is_judged_and_opened_only_without_problems(file: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "group.yaml"
        path.write_text(yaml.safe_dump(file, allow_unicode=True), encoding="utf-8")
        problems = lint(path)
        assert all(str(problem).startswith(str(problem.path)) for problem in problems)
        if problems:
            with pytest.raises(RecipeError):
                Rulebook.open(path)
        else:
            assert Rulebook.open(path).rules.files[0] == path
