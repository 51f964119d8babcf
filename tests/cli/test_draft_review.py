"""`qunce draft review`: what it prints and writes, and what it says of windows and logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run

LOG = "\n".join([
    "2026-11-02 20:00:01 林老师: 今晚读第三章，先各读十分钟",
    "2026-11-02 20:04:10 豆豆妈: 我家这个磨蹭得不行，催一句顶三句",
    "2026-11-02 20:06:30 小满: 我换成先说我看到了什么，他真的没吵",
    "2026-11-02 20:09:00 阿禾: 四岁的孩子能用这套吗？",
    "2026-11-02 20:10:00 林老师: 四岁可以，句子要短，一次只说一件事",
    "2026-11-02 20:12:00 阿禾: 我来，周三前把笔记发群里",
    "2026-11-03 09:00:00 静静: 有没有适合爸爸看的版本啊？",
])  # fmt: skip
FACTS = "name: 共读第三章\nhost: 林老师\ndate: 2026-11-02\nexpected: 30\nattended: 23\n"


@pytest.fixture
def files(place: Path) -> Path:
    (place / "chat.txt").write_text(LOG, encoding="utf-8")
    (place / "facts.yaml").write_text(FACTS, encoding="utf-8")
    (place / "nothing.txt").write_text("", encoding="utf-8")
    return place


def test_text_is_the_two_messages_and_hints(run: Run, files: Path, words_index: Path) -> None:
    result = run("draft", "review", "--log", "chat.txt", "--index", words_index)
    assert result.exit_code == 0
    assert "── 群消息（" in result.stdout
    assert "── 朋友圈（" in result.stdout
    assert "7 条" in result.stdout
    assert "建议  没给活动的事实" in result.stdout
    assert "检查" not in result.stdout


def test_facts_alone(run: Run, files: Path, words_index: Path) -> None:
    result = run("draft", "review", "--facts", "facts.yaml", "--index", words_index)
    assert result.exit_code == 0
    assert "11 月 2 日周一的「共读第三章」办完了，23 人到场，林老师带的。" in result.stdout


def test_page_and_json(run: Run, files: Path, words_index: Path) -> None:
    arguments = ["--log", "chat.txt", "--facts", "facts.yaml", "--brief", "brief.yaml"]
    options = ["--html", "out.html", "--format", "json", "--index", words_index]
    result = run("draft", "review", *arguments, *options)
    assert result.exit_code == 0
    assert "out.html written" in result.stderr
    data = json.loads(result.stdout)
    ids = {message["id"] for message in data["messages"]}
    said = [s for part in data["sections"] for s in part["statements"]]
    sources = {source for statement in said for source in statement["sources"]}
    assert {source for source in sources if ":" not in source} <= ids
    page = (files / "out.html").read_text(encoding="utf-8")
    assert page.count("<h1") == 1
    assert "共读第三章" in page


def test_markdown(run: Run, files: Path, words_index: Path) -> None:
    result = run("draft", "review", "--log", "chat.txt", "--format", "md", "--index", words_index)
    assert result.exit_code == 0
    assert result.stdout.startswith("# ")
    assert "## 原话" in result.stdout


def test_names_can_be_masked(run: Run, files: Path, words_index: Path) -> None:
    options = ["--mask-names", "--format", "json", "--index", words_index]
    result = run("draft", "review", "--log", "chat.txt", *options)
    assert result.exit_code == 0
    who = {message["who"] for message in json.loads(result.stdout)["messages"]}
    assert who
    assert not who & {"林老师", "豆豆妈", "小满", "阿禾", "静静"}


@pytest.mark.parametrize(
    ("window", "count"),
    [
        pytest.param(["--from", "2026-11-03"], 1, id="from a day"),
        pytest.param(["--to", "2026-11-02"], 6, id="to the end of a day"),
        pytest.param(["--from", "2026-11-02 20:05", "--to", "2026-11-02 20:10"], 2, id="moments"),
        pytest.param(["--from", "2026/11/2T20:05:00"], 5, id="other marks"),
    ],
)
def test_window(run: Run, files: Path, words_index: Path, window: list[str], count: int) -> None:
    options = ["--format", "json", "--index", words_index]
    result = run("draft", "review", "--log", "chat.txt", *window, *options)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["meta"]["messages"] == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "needs --log, --facts or both", id="nothing given"),
        pytest.param(["--log", "nothing.txt"], "nothing.txt", id="empty log"),
        pytest.param(["--log", "no.txt"], "no.txt", id="no such log"),
        pytest.param(["--facts", "no.yaml"], "no.yaml", id="no such facts"),
        pytest.param(
            ["--log", "chat.txt", "--from", "2027-01-01"],
            "The log runs from 2026-11-02 20:00 to 2026-11-03 09:00",
            id="outside",
        ),
        pytest.param(
            ["--log", "chat.txt", "--from", "gestern"], "is no day or time", id="no moment"
        ),
        pytest.param(
            ["--log", "chat.txt", "--to", "2026-02-30"], "is no day or time", id="no such day"
        ),
        pytest.param(
            ["--log", "chat.txt", "--from", "2026-11-03", "--to", "2026-11-01"],
            "is not before",
            id="backwards",
        ),
    ],
)
def test_mistakes_are_explained(
    run: Run, files: Path, words_index: Path, arguments: list[str], message: str
) -> None:
    result = run("draft", "review", *arguments, "--index", words_index)
    assert result.exit_code == 1
    assert message in result.stderr


def test_empty_log_beside_facts_leaves_a_useful_rest(
    run: Run, files: Path, words_index: Path
) -> None:
    arguments = ["--log", "nothing.txt", "--facts", "facts.yaml"]
    result = run("draft", "review", *arguments, "--index", words_index)
    assert result.exit_code == 0
    assert "nothing.txt is empty" in result.stderr
    assert "共读第三章" in result.stdout


def test_photos_beside_the_facts_stand_in_the_page(
    run: Run, files: Path, words_index: Path
) -> None:
    folder = files / "activity"
    folder.mkdir()
    Image.new("RGB", (8, 6), "green").save(folder / "a.jpg")
    (folder / "b.jpg").write_bytes(b"no picture")
    (folder / "facts.yaml").write_text(f"{FACTS}photos: [a.jpg, b.jpg]\n", encoding="utf-8")
    arguments = ["--facts", "activity/facts.yaml", "--html", "out.html"]
    result = run("draft", "review", *arguments, "--index", words_index)
    assert result.exit_code == 0
    assert "b.jpg is neither JPEG nor PNG" in result.stderr
    page = (files / "out.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/jpeg;base64,') == 1
    assert "照片：b.jpg" in page
