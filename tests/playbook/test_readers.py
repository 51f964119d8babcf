"""Every format, every common encoding, and files made to be unreadable or to do harm."""

from __future__ import annotations

import io
import logging
import os
import random
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DocumentError, InputError
from engine.playbook import readers
from engine.playbook.documents import Extract
from engine.playbook.readers import archive, pdf, tidy, webpage
from engine.playbook.readers.decoding import decode, plausibility

SIMPLIFIED = (
    "群主先想清楚：这个群给大家什么好处？想不清楚，就先别拉人。\n每周一晚 8 点，一起读 40 分钟。"
)
TRADITIONAL = (
    "群主先想清楚：這個群給大家什麼好處？想不清楚，就先別拉人。\n每週一晚 8 點，一起讀 40 分鐘。"
)
CANTONESE = "我哋個群嘅規矩好簡單：唔好賣廣告，有嘢就問，得閒就嚟坐。佢哋話呢個主意幾好。"


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(extract: Extract) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in extract.blocks]


def words(extract: Extract) -> str:
    return "\n".join(block.text for block in extract.blocks)


# --- text and its encodings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        pytest.param(SIMPLIFIED, "utf-8", id="utf-8"),
        pytest.param(SIMPLIFIED, "utf-8-sig", id="utf-8 with a mark"),
        pytest.param(SIMPLIFIED, "gb18030", id="gb18030"),
        pytest.param(SIMPLIFIED, "gbk", id="gbk"),
        pytest.param(SIMPLIFIED, "gb2312", id="gb2312"),
        pytest.param(SIMPLIFIED, "utf-16", id="utf-16 with a mark"),
        pytest.param(SIMPLIFIED, "utf-16-le", id="utf-16-le without a mark"),
        pytest.param(SIMPLIFIED, "utf-16-be", id="utf-16-be without a mark"),
        pytest.param(SIMPLIFIED, "utf-32", id="utf-32 with a mark"),
        pytest.param(TRADITIONAL, "big5", id="big5"),
        pytest.param(f"{TRADITIONAL}費用￥99，主持：約翰‧林", "cp950", id="big5 of Windows"),
        pytest.param(TRADITIONAL, "gb18030", id="traditional in gb18030"),
        pytest.param(TRADITIONAL, "utf-16-le", id="traditional in utf-16-le"),
        pytest.param(CANTONESE, "big5hkscs", id="cantonese in big5-hkscs"),
        pytest.param("Read 40 minutes a week.\n", "utf-16-le", id="english in utf-16-le"),
        pytest.param("Read 40 minutes a week.\n", "ascii", id="ascii"),
        pytest.param("a" * 200_000 + SIMPLIFIED, "gb18030", id="chinese after much ascii"),
        pytest.param("欢迎进群", "gb18030", id="four characters in gb18030"),
        pytest.param("歡迎進群", "big5", id="four characters in big5"),
    ],
)
def test_text_is_decoded(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_short_lines_in_every_encoding_are_told_apart() -> None:
    simplified = ["入群先改名片", "本周话题已经定好", "三十人以内的小群最活跃", "海报配一段话再发"]
    traditional = ["入群先改名片", "本週話題已經定好", "三十人以內的小群最活躍", "海報配一段話再發"]
    cases = [(line, code) for line in simplified for code in ("gb18030", "utf-16-le", "utf-16-be")]
    cases += [(line, code) for line in traditional for code in ("cp950", "gb18030", "utf-16-le")]
    wrong = [(line, code) for line, code in cases if decode(line.encode(code)) != line]
    assert wrong == []


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        pytest.param(SIMPLIFIED.encode()[:-1], SIMPLIFIED[:-1], id="utf-8 cut inside a character"),
        pytest.param(SIMPLIFIED.encode("gbk")[:-1], SIMPLIFIED[:-1], id="gbk cut inside one"),
        pytest.param(
            SIMPLIFIED.encode() + b"\xff\xfe\xff" + SIMPLIFIED.encode(), SIMPLIFIED, id="bad bytes"
        ),
    ],
)
def test_a_few_broken_bytes_become_replacement_characters(content: bytes, kept: str) -> None:
    text = decode(content)
    assert text.startswith(kept)
    assert "\ufffd" in text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("进群\0先改名片，再做介绍。".encode(), "进群先改名片，再做介绍。", id="NUL"),
        pytest.param("\ufeff\ufeff群规".encode(), "群规", id="two byte order marks"),
        pytest.param("一\r\n二\r三\x0c四".encode(), "一\n二\n三\n四", id="line ends"),
        pytest.param(
            f"群\x07规\x1b：{TRADITIONAL}".encode(), f"群规：{TRADITIONAL}", id="controls"
        ),
        pytest.param(
            TRADITIONAL.encode("utf-16") + b"\x3d\xd8",
            f"{TRADITIONAL}\ufffd",
            id="half a surrogate pair",
        ),
        pytest.param("好😀".encode("utf-16"), "好😀", id="a whole surrogate pair"),
    ],
)
def test_text_comes_out_clean(tmp_path: Path, content: bytes, text: str) -> None:
    extract = readers.read(write(tmp_path, "群规.txt", content))
    assert words(extract) == text
    assert (extract.title, extract.structured) == ("群规", False)


def test_surrogates_never_come_out() -> None:
    assert tidy.clean("\ud83d\ude00 \ud83d \ude00") == "😀 \ufffd \ufffd"


def test_plausibility_falls_below_zero_for_bytes_of_nothing() -> None:
    assert plausibility(SIMPLIFIED) == 1.0
    assert plausibility("\ufffd\x00\ue000") < 0


NOISE = random.Random(7).randbytes(4000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(NOISE, "it is not text", id="noise"),
        pytest.param(bytes(range(32)) * 50, "it is not text", id="control characters"),
        pytest.param(b"\0" * 500, "it is not text", id="NUL bytes only"),
        pytest.param(b"\xff\xfe" + NOISE, "it is not text", id="noise after a utf-16 mark"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + NOISE, "PNG picture", id="png"),
        pytest.param(b"%PDF-1.4\n", "it holds a PDF", id="pdf"),
        pytest.param(b"PK\x03\x04" + NOISE, "zip archive", id="zip"),
        pytest.param(b"\xd0\xcf\x11\xe0" + NOISE, "old or has a password", id="old word"),
        pytest.param("コミュニティの運営。".encode("cp932") * 9, "not text in", id="shift-jis"),
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b" \n\t\r\n", "it holds no text", id="blank"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = write(tmp_path, "a.txt", content)
    with pytest.raises(DocumentError, match=reason) as caught:
        readers.read(path)
    assert str(path) in str(caught.value)


# --- markdown -----------------------------------------------------------------------------------

MARKDOWN = """\
---
title: 不出现
---
# 社群*是什么* #
第一行，短。
第二行短句

这一行写满了整整一列，作者的编辑器在这里替他折了行，所以句子要
接着读下去才完整。
##没有空格的标题
#话题标签 今天
- **要点**：先[定位](https://x.cn/a_(b))再拉人
- [x] 办完的 `事` 与 ~~删掉的~~ ==划线的==
1. 3*4*5 与 snake_case_name
> > 引用一句
| 名称 | 价格 |
|---|:--:|
| **月卡** | 99 元<br>包邮 |

```python
# 不是标题
```
[[页面|显示]] <https://a.cn> <b>粗</b> &lt;群主&gt; \\*星\\* 注[^1]
前<!-- 注释
不出现 -->后
[1]: https://x.cn
下划标题
===
[![徽章](b.png)](http://c) ![图](a.png)
***
###### C# 六级
####### 七个
"""


def test_markdown_keeps_headings_and_words(tmp_path: Path) -> None:
    extract = readers.read(write(tmp_path, "a.md", MARKDOWN))
    assert (extract.title, extract.structured) == ("社群是什么", True)
    assert lines(extract) == [
        (1, "社群是什么"),
        (0, "第一行，短。"),
        (0, "第二行短句"),
        (0, "这一行写满了整整一列，作者的编辑器在这里替他折了行，所以句子要接着读下去才完整。"),
        (2, "没有空格的标题"),
        (0, "#话题标签 今天"),
        (0, "要点：先定位再拉人"),
        (0, "办完的 事 与 删掉的 划线的"),
        (0, "1. 3*4*5 与 snake_case_name"),
        (0, "引用一句"),
        (0, "名称 | 价格"),
        (0, "月卡 | 99 元包邮"),
        (0, "# 不是标题"),
        (0, "显示 https://a.cn 粗 <群主> *星* 注"),
        (0, "前后"),
        (1, "下划标题"),
        (0, "徽章 图"),
        (6, "C# 六级"),
        (0, "####### 七个"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("---\n没有结束的分隔线", [(0, "没有结束的分隔线")], id="open front matter"),
        pytest.param("```\n# 代码", [(0, "# 代码")], id="open fence"),
        pytest.param("<!-- 没有结束", [(0, "<!-- 没有结束")], id="open comment"),
        pytest.param("# 一\n\n## \n", [(1, "一")], id="empty heading"),
        pytest.param("# " + "长" * 101, [(0, "长" * 101)], id="a paragraph styled as heading"),
        pytest.param("[注意]: 明天开会", [(0, "[注意]: 明天开会")], id="no link target"),
    ],
)
def test_markdown_edges(tmp_path: Path, content: str, expected: list[tuple[int, str]]) -> None:
    assert lines(readers.read(write(tmp_path, "a.markdown", content))) == expected


@pytest.mark.parametrize(
    "piece",
    ["<!--", "[", "[a](", "[a]((b)", "<a", "*a", " _a", "- ", "|-", "-|", "> ", " ", "[[a|", "[^a"],
)
def test_markdown_takes_linear_time(tmp_path: Path, piece: str) -> None:
    """Half a megabyte of one opening mark: quadratic matching would take minutes."""
    path = write(tmp_path, "a.md", "x" + piece * (500_000 // len(piece)) + "x")
    assert words(readers.read(path)).startswith("x")


# --- web pages ----------------------------------------------------------------------------------

PARAGRAPH = (
    "社群不是一群人，而是一群人为了同一件事，在同一个地方反复见面。群主先想清楚价值，再想怎么拉人。"
)
ARTICLE = f"""<!doctype html><html><head><meta charset="CHARSET"><title>读书会 - 某网站</title>
<script>document.write("脚本写的字")</script><style>p{{color:red}}</style></head><body>
<nav><ul><li><a href="/">首页</a></li><li><a href="/b">关于我们</a></li></ul></nav>
<article><h1>怎么办读书会</h1><p>{PARAGRAPH}</p><h2>先定位</h2>
<p>{PARAGRAPH}见<a href="http://x.cn/">这一篇</a>，字<b>加粗</b>，
断行。</p><ul><li>第一条要点要写清楚</li><li>第二条要点也要写清楚</li></ul>
<table><tr><th>名称</th><th>价格</th></tr><tr><td>月卡</td><td>99 元</td></tr></table>
<p>{PARAGRAPH}一行<br>另一行</p></article><footer>备案号 1234</footer></body></html>"""


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8", "utf-8"), ("gb18030", "gb2312"), ("utf-8", "gb2312"), ("gbk", ""), ("utf-16", "x")],
)
def test_webpage_keeps_main_content(tmp_path: Path, encoding: str, declared: str) -> None:
    page = ARTICLE.replace("CHARSET", declared).encode(encoding)
    extract = readers.read(write(tmp_path, "a.html", page))
    assert (extract.title, extract.structured) == ("怎么办读书会", True)
    assert lines(extract) == [
        (1, "怎么办读书会"),
        (0, PARAGRAPH),
        (2, "先定位"),
        (0, f"{PARAGRAPH}见这一篇，字加粗，断行。"),
        (0, "第一条要点要写清楚"),
        (0, "第二条要点也要写清楚"),
        (0, "名称 | 价格"),
        (0, "月卡 | 99 元"),
        (0, f"{PARAGRAPH}一行"),
        (0, "另一行"),
    ]


def test_wechat_article_is_read_though_styled_hidden(tmp_path: Path) -> None:
    page = f"""<html><head><meta property="og:title" content="拉新三法"><title></title></head><body>
    <div id="js_article"><h1> 拉新三法 </h1><div>原创 某公众号</div>
    <div id="js_content" style="visibility: hidden"><section><section><span><strong>01 找种子用户
    </strong></span></section></section><section><p><span>{PARAGRAPH}</span></p></section>
    <h2>02 设门槛</h2><section><span>{PARAGRAPH}</span></section></div></div></body></html>"""
    extract = readers.read(write(tmp_path, "a.htm", page))
    assert extract.title == "拉新三法"
    assert lines(extract) == [
        (0, "01 找种子用户"),
        (0, PARAGRAPH),
        (2, "02 设门槛"),
        (0, PARAGRAPH),
    ]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param("没有标签的一句话", [(0, "没有标签的一句话")], id="no tags"),
        pytest.param("<p>一句话。", [(0, "一句话。")], id="a fragment"),
        pytest.param(
            "<?xml version='1.0' encoding='utf-8'?><html><body><p>一句话。</p></body></html>",
            [(0, "一句话。")],
            id="xhtml with an encoding of its own",
        ),
        pytest.param("<p>&#0;群&#xD800;规&amp;</p>", [(0, "\ufffd群\ufffd规&")], id="bad entities"),
    ],
)
def test_webpage_edges(tmp_path: Path, page: str, expected: list[tuple[int, str]]) -> None:
    assert lines(readers.read(write(tmp_path, "a.html", page))) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(
            "<nav>导航</nav><header>页眉</header><footer>备案</footer>",
            [(0, "页眉")],
            id="furniture",
        ),
        pytest.param(
            "<table><tr><td><h2>标题</h2><p>左栏</p></td><td>右栏</td></tr></table>",
            [(2, "标题"), (0, "左栏"), (0, "右栏")],
            id="a table that lays out the page",
        ),
        pytest.param("<aside>只有边栏</aside>", [(0, "只有边栏")], id="nothing but furniture"),
        pytest.param("<pre>第一行\n第二行</pre>", [(0, "第一行"), (0, "第二行")], id="pre"),
        pytest.param(
            "<table><tr><td>名称<br>与说明</td><td><p>价</p><p>格</p></td></tr></table>",
            [(0, "名称 与说明 | 价 格")],
            id="a table of data",
        ),
        pytest.param(
            "<h1>大<div>中</div></h1>小", [(1, "大"), (1, "中"), (0, "小")], id="odd heading"
        ),
    ],
)
def test_webpage_taken_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    expected: list[tuple[int, str]],
) -> None:
    monkeypatch.setattr(webpage, "_MAX_ELEMENTS", 0)
    assert lines(readers.read(write(tmp_path, "a.html", page))) == expected


def test_large_page_is_taken_whole(tmp_path: Path) -> None:
    page = "<nav>导航</nav>" + "<p>想清楚价值再拉人。</p>" * 60_000
    extract = readers.read(write(tmp_path, "a.html", page))
    assert len(extract.blocks) == 60_000


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        pytest.param("<script>alert('字')</script>", "no text", id="a script and nothing else"),
        pytest.param("<!-- 字 -->", "no text", id="a comment"),
        pytest.param("<div>" * 5000 + "字", "nested deeper", id="deep nesting"),
        pytest.param(
            "<p " + " ".join(f"a{n}=1" for n in range(20_000)) + ">字</p>",
            "20,000 attributes",
            id="a tag of many attributes",
        ),
    ],
)
def test_webpage_refused(tmp_path: Path, page: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        readers.read(write(tmp_path, "a.html", page))


# --- pdf ----------------------------------------------------------------------------------------


def chinese_pdf() -> bytes:
    import pylopdf_fonts_zh_cn
    from fpdf import FPDF

    font = Path(pylopdf_fonts_zh_cn.__path__[0]) / "NotoSansSC-Regular.otf"
    maker = FPDF()
    maker.add_font("noto", fname=font)
    maker.set_title("社群手册")
    for number in (1, 2):
        maker.add_page()
        maker.set_font("noto", size=12)
        maker.multi_cell(0, 8, f"第{number}章 定位\n先想清楚价值，再拉人。名额 50 位。")
    return bytes(maker.output())


def protected_pdf(user: str) -> bytes:
    from fpdf import FPDF

    maker = FPDF()
    maker.add_page()
    maker.set_font("helvetica", size=12)
    maker.cell(0, 8, "hidden words")
    maker.set_encryption(owner_password="owner", user_password=user)
    return bytes(maker.output())


def raw_pdf(*objects: str) -> bytes:
    """A PDF of hand-written objects, numbered from 1; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer <</Size {len(places) + 1} /Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


CATALOGUE = "<</Type /Catalog /Pages 2 0 R>>"
FONT = "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>"


def stream(content: str, extra: str = "") -> str:
    return f"<</Length {len(content)} {extra}>>\nstream\n{content}\nendstream"


def pages_of(count: int, content: str = "BT /F 12 Tf (words here) Tj ET") -> bytes:
    kids = "4 0 R " * count
    return raw_pdf(
        CATALOGUE,
        f"<</Type /Pages /Count {count} /Kids [{kids}]>>",
        stream(content),
        "<</Type /Page /Parent 2 0 R /Contents 3 0 R /Resources <</Font <</F 5 0 R>>>>>>",
        FONT,
    )


def form_bomb(depth: int) -> bytes:
    """A page that draws a form ten times, which draws a form ten times, and so on."""
    first = 6
    forms = [
        stream(
            "/X Do " * 10 if number < depth - 1 else "BT /F 12 Tf (words) Tj ET",
            f"/Type /XObject /Subtype /Form /Resources <</Font <</F 5 0 R>> "
            f"/XObject <</X {first + number + 1} 0 R>>>>",
        )
        for number in range(depth)
    ]
    return raw_pdf(
        CATALOGUE,
        "<</Type /Pages /Count 1 /Kids [4 0 R]>>",
        stream("/X Do"),
        f"<</Type /Page /Parent 2 0 R /Contents 3 0 R "
        f"/Resources <</Font <</F 5 0 R>> /XObject <</X {first} 0 R>>>>>>",
        FONT,
        *forms,
    )


def test_pdf_is_one_raw_block(tmp_path: Path) -> None:
    extract = readers.read(write(tmp_path, "a.PDF", chinese_pdf()))
    assert (extract.title, extract.structured) == ("社群手册", False)
    assert lines(extract) == [
        (
            0,
            "第1章 定位\n先想清楚价值，再拉人。名额 50 位。\n"
            "第2章 定位\n先想清楚价值，再拉人。名额 50 位。",
        )
    ]


def test_pdf_protected_for_its_owner_only_is_read(tmp_path: Path) -> None:
    extract = readers.read(write(tmp_path, "a.pdf", protected_pdf(user="")))
    assert words(extract) == "hidden words"


def test_pdf_without_a_table_of_objects_is_read_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    damaged = pages_of(1).replace(b"startxref\n", b"startxref\n9")
    assert words(readers.read(write(tmp_path, "a.pdf", damaged))) == "words here"
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert logging.getLogger("pypdf").level == logging.NOTSET


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(protected_pdf(user="secret"), "needs a password", id="password"),
        pytest.param(pages_of(2, "0 0 10 10 re f"), "no text on 2 pages.*OCR", id="scanned"),
        pytest.param(pages_of(3001), "3,001 pages; the limit is 3,000", id="too many pages"),
        pytest.param(
            raw_pdf(CATALOGUE, "<</Type /Pages /Count 1 /Kids [2 0 R]>>"), "cyclic", id="loop"
        ),
        pytest.param(
            raw_pdf(
                CATALOGUE,
                "<</Type /Pages /Count 1 /Kids [3 0 R]>>",
                "<</Type /Pages /Count 1 /Kids [2 0 R]>>",
            ),
            "cyclic",
            id="loop over two nodes",
        ),
        pytest.param(pages_of(1)[:200], "damaged", id="cut off"),
        pytest.param(b"%PDF-1.7\n" + NOISE, "damaged", id="noise"),
        pytest.param(b"<html>not found</html>", "does not start like a PDF", id="a web page"),
        pytest.param(b"PK\x03\x04" + NOISE, "zip archive", id="a zip"),
    ],
)
def test_pdf_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        readers.read(write(tmp_path, "a.pdf", content))


def test_pdf_in_aes_says_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pypdf
    from pypdf.errors import DependencyError

    def refuse(*_: object) -> None:
        raise DependencyError("cryptography>=3.1 is required for AES algorithm")

    monkeypatch.setattr(pypdf.PdfReader, "decrypt", refuse)
    with pytest.raises(DocumentError, match=r"AES.*pip install cryptography"):
        readers.read(write(tmp_path, "a.pdf", protected_pdf(user="")))


@pytest.mark.parametrize(
    ("limit", "content", "reason"),
    [
        pytest.param("MAX_CHARACTERS", pages_of(40), "100 characters", id="characters on pages"),
        pytest.param("MAX_OPERATIONS", pages_of(40), "100 drawing", id="operations on pages"),
        pytest.param("MAX_CHARACTERS", form_bomb(4), "100 characters", id="characters in forms"),
        pytest.param("MAX_OPERATIONS", form_bomb(4), "100 drawing", id="operations in forms"),
    ],
)
def test_pdf_work_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(pdf, limit, 100)
    with pytest.raises(DocumentError, match=reason):
        readers.read(write(tmp_path, "a.pdf", content))


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("社群手册", "社群手册"),
        ("  社群\n手册 ", "社群手册"),
        ("Microsoft Word - 群规.docx", "群规"),
        ("PowerPoint 演示文稿", ""),
        ("Untitled", ""),
        ("幻灯片 1", ""),
        ("ÉçÈºÊÖ²á", ""),
        ("群\ufffd规", ""),
        ("Café handbook", ""),
        (None, ""),
    ],
)
def test_titles_that_programs_wrote_are_dropped(title: str | None, kept: str) -> None:
    assert tidy.own_title(title) == kept


# --- word ---------------------------------------------------------------------------------------


def saved(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def word() -> Any:
    import docx

    document = docx.Document()
    document.core_properties.title = ""
    return document


def rewritten(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The same archive with each part passed through `change`; None drops the part."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            if (part := change(name, source.read(name))) is not None:
                target.writestr(name, part)
    return out.getvalue()


def body(xml: str) -> bytes:
    """A .docx whose body is `xml`."""
    names = (
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    document = f"<w:document {names}><w:body>{xml}</w:body></w:document>".encode()
    return rewritten(
        saved(word()), lambda name, part: document if name == "word/document.xml" else part
    )


def test_word_keeps_order_headings_and_tables(tmp_path: Path) -> None:
    from docx.enum.style import WD_STYLE_TYPE

    document = word()
    styles = document.styles
    styles.add_style("标题 2", WD_STYLE_TYPE.PARAGRAPH)
    styles.add_style("我的小标题", WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Heading 3"]
    styles.add_style("TOC 1", WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("社群手册", style="Title")
    document.add_paragraph("第一章……1", style="TOC 1")
    document.add_heading("第一章 定位", 1)
    document.add_paragraph("先想清楚价值。")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["名称", "价格", "月卡", "99 元\n包邮"], strict=True):
        cell.text = text
    document.add_paragraph("再拉人。")
    document.add_paragraph("门槛", style="标题 2")
    document.add_paragraph("红包", style="我的小标题")
    document.add_paragraph("第一行\n第二行")
    frame = document.add_table(rows=1, cols=1).cell(0, 0)
    frame.text = "框里第一段"
    frame.add_paragraph("框里第二段")
    extract = readers.read(write(tmp_path, "a.docx", saved(document)))
    assert (extract.title, extract.structured) == ("社群手册", True)
    assert lines(extract) == [
        (1, "社群手册"),
        (1, "第一章 定位"),
        (0, "先想清楚价值。"),
        (0, "名称 | 价格"),
        (0, "月卡 | 99 元包邮"),
        (0, "再拉人。"),
        (2, "门槛"),
        (3, "红包"),
        (0, "第一行"),
        (0, "第二行"),
        (0, "框里第一段"),
        (0, "框里第二段"),
    ]


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        pytest.param(
            '<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>小节</w:t></w:r></w:p>',
            [(2, "小节")],
            id="an outline level without a style",
        ),
        pytest.param(
            "<w:p><w:ins><w:r><w:t>加的</w:t></w:r></w:ins><w:del><w:r><w:delText>删的</w:delText>"
            "</w:r></w:del><w:moveFrom><w:r><w:t>移走的</w:t></w:r></w:moveFrom></w:p>",
            [(0, "加的")],
            id="tracked changes",
        ),
        pytest.param(
            "<w:p><w:hyperlink><w:r><w:t>链接</w:t></w:r></w:hyperlink><w:r><w:t>文字</w:t>"
            "<w:instrText>PAGE</w:instrText></w:r></w:p>",
            [(0, "链接文字")],
            id="links and fields",
        ),
        pytest.param(
            "<w:sdt><w:sdtContent><w:p><w:r><w:t>控件里的字</w:t></w:r></w:p></w:sdtContent></w:sdt>",
            [(0, "控件里的字")],
            id="content controls",
        ),
        pytest.param(
            "<w:p><w:r><w:t>正文</w:t><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r>"
            "<w:t>文本框</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>"
            "<w:p><w:r><w:t>文本框</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
            "</mc:AlternateContent></w:r></w:p>",
            [(0, "正文"), (0, "文本框")],
            id="text boxes, once",
        ),
        pytest.param(
            '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>左</w:t><w:tab/>'
            "<w:t>右</w:t></w:r></w:p>",
            [(0, "左 右")],
            id="tabs",
        ),
    ],
)
def test_word_edges(tmp_path: Path, xml: str, expected: list[tuple[int, str]]) -> None:
    assert lines(readers.read(write(tmp_path, "a.docx", body(xml)))) == expected


def test_word_style_based_on_itself_does_not_hang(tmp_path: Path) -> None:
    document = word()
    style = document.styles["Normal"]
    style.base_style = style
    document.add_paragraph("正文")
    assert lines(readers.read(write(tmp_path, "a.docx", saved(document)))) == [(0, "正文")]


def test_word_title_comes_from_properties_or_name(tmp_path: Path) -> None:
    document = word()
    document.add_paragraph("正文")
    assert readers.read(write(tmp_path, "群规.docx", saved(document))).title == "群规"
    document.core_properties.title = "新群规"
    assert readers.read(write(tmp_path, "群规.docx", saved(document))).title == "新群规"


# --- slides -------------------------------------------------------------------------------------


def deck() -> bytes:
    from PIL import Image
    from pptx import Presentation
    from pptx.util import Cm

    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "社群\v九步"
    first.placeholders[1].text = "先定位\n再拉人"
    table = first.shapes.add_table(2, 2, Cm(1), Cm(1), Cm(9), Cm(3)).table
    for cell, text in zip(table.iter_cells(), ["名称", "价格", "月卡", "99 元"], strict=True):
        cell.text = text
    first.notes_slide.notes_text_frame.text = "备注：讲慢一点"
    second = made.slides.add_slide(made.slide_layouts[6])
    second.shapes.add_textbox(Cm(1), Cm(1), Cm(9), Cm(1)).text_frame.text = "没有标题框的一页"
    number = second.shapes.add_textbox(Cm(1), Cm(9), Cm(9), Cm(1))
    number.text_frame.text = "第 2 页，共 4 页"
    role = number._element.nvSpPr.nvPr.get_or_add_ph()
    role.set("type", "sldNum")
    role.set("idx", "12")
    outer = second.shapes.add_group_shape()
    inner = outer.shapes.add_group_shape()
    inner.shapes.add_textbox(Cm(1), Cm(3), Cm(9), Cm(1)).text_frame.text = "组合里的组合"
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    picture.seek(0)
    second.shapes.add_picture(picture, Cm(1), Cm(5))
    third = made.slides.add_slide(made.slide_layouts[6])
    third.shapes.add_textbox(Cm(1), Cm(1), Cm(9), Cm(1)).text_frame.text = "长" * 31
    made.slides.add_slide(made.slide_layouts[6])
    return saved(made)


def test_slides_are_sections(tmp_path: Path) -> None:
    extract = readers.read(write(tmp_path, "a.pptx", deck()))
    assert (extract.title, extract.structured) == ("社群九步", True)
    assert lines(extract) == [
        (2, "社群九步"),
        (0, "先定位"),
        (0, "再拉人"),
        (0, "名称 | 价格"),
        (0, "月卡 | 99 元"),
        (0, "备注：讲慢一点"),
        (2, "没有标题框的一页"),
        (0, "组合里的组合"),
        (2, "第 3 页"),
        (0, "长" * 31),
    ]


def test_slides_show_the_words_of_a_diagram(tmp_path: Path) -> None:
    from lxml import etree
    from pptx import Presentation
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI

    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "四种需求"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    data = f'<d xmlns:a="{drawing}/main"><a:p><a:r><a:t>物质</a:t></a:r></a:p><a:p/></d>'
    part = Part(
        PackURI("/ppt/diagrams/data1.xml"), "application/xml", slide.part.package, data.encode()
    )
    link = slide.part.relate_to(part, "http://example.org/diagramData")
    slide.shapes._spTree.append(
        etree.fromstring(
            '<p:graphicFrame xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
            f' xmlns:a="{drawing}/main" xmlns:dgm="{drawing}/diagram" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            '<p:nvGraphicFramePr><p:cNvPr id="9" name="d"/><p:cNvGraphicFramePr/><p:nvPr/>'
            f'</p:nvGraphicFramePr><a:graphic><a:graphicData uri="{drawing}/diagram">'
            f'<dgm:relIds r:dm="{link}"/></a:graphicData></a:graphic></p:graphicFrame>',
            slide.shapes._spTree.getroottree().parser,
        )
    )
    extract = readers.read(write(tmp_path, "a.pptx", saved(made)))
    assert lines(extract) == [(2, "四种需求"), (0, "物质")]


# --- office files that lie ----------------------------------------------------------------------


def plain_word() -> bytes:
    document = word()
    document.add_paragraph("正文")
    return saved(document)


def with_part(name: str, content: bytes) -> bytes:
    out = io.BytesIO(plain_word())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, content)
    return out.getvalue()


def understated(content: bytes, claimed: int) -> bytes:
    """The archive with the unpacked size of its last part overwritten in the directory."""
    place = content.rindex(b"PK\x01\x02")
    return content[: place + 24] + claimed.to_bytes(4, "little") + content[place + 28 :]


def flagged(content: bytes) -> bytes:
    """The archive with its last part marked as encrypted."""
    place = content.rindex(b"PK\x01\x02")
    return content[: place + 8] + b"\x01" + content[place + 9 :]


def other_packing() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as target:
        target.writestr("word/document.xml", b"<a/>")
    return out.getvalue()


def document_xml(xml: bytes) -> bytes:
    return rewritten(plain_word(), lambda name, part: xml if name == "word/document.xml" else part)


WORD_NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
LAUGHING = (
    f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "哈">{LAUGHS}]><w:document {WORD_NAMES}>'
    "<w:body><w:p><w:r><w:t>&e9;</w:t></w:r></w:p></w:body></w:document>"
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(with_part("word/a.xml", bytes(20 << 20)), "as zip bombs do", id="zip bomb"),
        pytest.param(with_part("word/media/a.png", bytes(20 << 20)), "bombs", id="picture bomb"),
        pytest.param(
            understated(with_part("word/a.xml", bytes(20 << 20)), 100),
            "damaged as a zip",
            id="zip bomb that understates its size",
        ),
        pytest.param(
            understated(with_part("word/a.xml", b"<a/>"), 300 << 20), "unfold to 3", id="too large"
        ),
        pytest.param(flagged(plain_word()), "protected by a password", id="encrypted part"),
        pytest.param(other_packing(), "packed in a way", id="packed in lzma"),
        pytest.param(document_xml(LAUGHING.encode()), "declares XML entities", id="laughs"),
        pytest.param(
            document_xml(LAUGHING.encode("utf-16")), "declares XML entities", id="laughs in utf-16"
        ),
        pytest.param(document_xml(b"<w:document"), "damaged", id="broken xml"),
        pytest.param(document_xml(b"<a>" * 300 + b"</a>" * 300), "damaged", id="deep xml"),
        pytest.param(plain_word()[:-100], "damaged as a zip", id="cut off at the end"),
        pytest.param(plain_word()[:5000], "damaged as a zip", id="cut off in the middle"),
        pytest.param(b"PK\x03\x04" + NOISE, "damaged as a zip", id="noise"),
        pytest.param(deck(), "without word/", id="slides named .docx"),
        pytest.param(chinese_pdf(), "holds a PDF", id="a pdf named .docx"),
        pytest.param(b"<html></html>", "does not start like", id="a page named .docx"),
        pytest.param(b"\xd0\xcf\x11\xe0" + NOISE, "old or has a password", id="old or locked"),
        pytest.param(saved(word()), "holds no text", id="no words"),
        pytest.param(
            rewritten(plain_word(), lambda name, part: None if "document" in name else part),
            "damaged",
            id="no body",
        ),
    ],
)
def test_word_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = write(tmp_path, "a.docx", content)
    with pytest.raises(DocumentError, match=reason) as caught:
        readers.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("MAX_PARTS", "more than 5 parts"),
        ("MAX_UNFOLDED", "the limit is 5"),
        ("MAX_XML", "more than 5 bytes of XML"),
    ],
)
def test_office_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, reason: str
) -> None:
    monkeypatch.setattr(archive, limit, 5)
    for name, content in (("a.docx", plain_word()), ("a.pptx", deck())):
        with pytest.raises(DocumentError, match=reason):
            readers.read(write(tmp_path, name, content))


def test_a_bomb_that_understates_its_size_takes_little_memory() -> None:
    bomb = understated(with_part("word/a.xml", bytes(50 << 20)), 100)
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError):
            archive.unfold(bomb, "word/")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("encoding", ["cp037", "utf-7"])
def test_entities_are_not_fetched_even_where_the_scan_is_blind(
    tmp_path: Path, encoding: str
) -> None:
    secret = write(tmp_path, "secret", "THE-SECRET")
    name = {"cp037": "IBM037", "utf-7": "UTF-7"}[encoding]
    xml = (
        f'<?xml version="1.0" encoding="{name}"?><!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>'
        f"<w:document {WORD_NAMES}><w:body><w:p><w:r><w:t>before &x;</w:t></w:r></w:p></w:body>"
        "</w:document>"
    ).encode(encoding)
    try:
        found = words(readers.read(write(tmp_path, "a.docx", document_xml(xml))))
    except DocumentError as error:
        found = str(error)
    assert "THE-SECRET" not in found


def test_pictures_are_emptied_and_do_not_matter(tmp_path: Path) -> None:
    copy = zipfile.ZipFile(archive.unfold(deck(), "ppt/"))
    assert copy.getinfo("ppt/media/image1.png").file_size == 0
    assert copy.getinfo("ppt/presentation.xml").file_size > 0


# --- any file -----------------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"missing\.md: there is no such file"):
        readers.read(tmp_path / "missing.md")


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "a.md", "# 一")
    monkeypatch.setattr(Path, "open", refuse)  # root may read anything, so chmod proves little
    with pytest.raises(DocumentError, match="no permission to open it"):
        readers.read(path)


def test_large_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as stream:
        stream.truncate(200 << 20)  # sparse: takes no room
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(DocumentError, match="209,715,200 bytes; the limit is 67,108,864"):
        readers.read(path)


def test_limit_of_bytes_is_exact(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "0123456789")
    assert words(readers.read(path, max_bytes=10)) == "0123456789"
    with pytest.raises(DocumentError, match="10 bytes; the limit is 9"):
        readers.read(path, max_bytes=9)


def test_limit_of_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "MAX_CHARACTERS", 5)
    for name in ("a.txt", "a.md", "a.html"):
        assert words(readers.read(write(tmp_path, name, "一二三四五"))) == "一二三四五"
        with pytest.raises(DocumentError, match="holds 6 characters; the limit is 5"):
            readers.read(write(tmp_path, name, "一二三四五六"))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.doc", "save it as .docx"),
        ("a.PPT", "save it as .pptx"),
        ("a.xyz", ".docx, .htm, .html"),
        ("a", "a file without ending"),
    ],
)
def test_unknown_ending(tmp_path: Path, name: str, advice: str) -> None:
    with pytest.raises(DocumentError, match=f"(?i){advice}"):
        readers.read(write(tmp_path, name, "字"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_regular_file(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for name in ("folder.md", "pipe.txt"):
        with pytest.raises(DocumentError, match="not a regular file"):
            readers.read(tmp_path / name)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
def test_name_in_gbk_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "群规".encode("gbk") + b".txt"))
    path.write_text("正文", encoding="utf-8")
    assert readers.read(path).title == "群规"
    path.write_bytes(b"")
    with pytest.raises(DocumentError) as caught:
        readers.read(path)
    assert str(caught.value).encode()


@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError(), KeyError("word/x")])
def test_errors_of_parsers_become_document_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setitem(readers._READERS, ".md", failing(error))
    with pytest.raises(
        DocumentError, match=f"a.md: it is damaged .{type(error).__name__}"
    ) as caught:
        readers.read(write(tmp_path, "a.md", "字"))
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_errors_of_the_machine_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setitem(readers._READERS, ".md", failing(error))
    with pytest.raises(type(error)):
        readers.read(write(tmp_path, "a.md", "字"))


def failing(error: BaseException) -> Callable[[bytes, str], Extract]:
    def fail(data: bytes, name: str) -> Extract:
        raise error

    return fail


def test_parsers_are_loaded_when_needed() -> None:
    script = (
        "import sys, engine.playbook.readers; "
        "print([name for name in ('pypdf', 'docx', 'pptx', 'trafilatura', 'lxml') "
        "if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_seeds_are_read(shared: Path) -> None:
    found = [readers.read(path) for path in readers.walk(shared / "seeds")]
    assert len(found) == 5
    assert all(not extract.structured and "\ufffd" not in words(extract) for extract in found)


# --- folders ------------------------------------------------------------------------------------


def found_in(folder: Path) -> tuple[list[str], dict[str, str]]:
    skipped: dict[str, str] = {}

    def note(path: Path, reason: str) -> None:
        skipped[path.relative_to(folder).as_posix()] = reason

    found = [path.relative_to(folder).as_posix() for path in readers.walk(folder, note)]
    return found, skipped


def test_walk_yields_documents_in_order(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.txt", "a/b/c.PDF", "a.docx", "c.html", ".hidden.md", ".git/a.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    for name in ("~$a.docx", "photo.jpg", "no-ending", "old.doc", "old.PPT"):
        write(tmp_path, name, b"")
    found, skipped = found_in(tmp_path)
    assert found == ["a/b/c.PDF", "a/z.txt", "a.docx", "b.md", "c.html"]
    assert skipped == {
        "old.doc": ".doc is not read; save it as .docx",
        "old.PPT": ".ppt is not read; save it as .pptx",
    }


def test_walk_follows_links_only_to_files_inside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write(outside, "secret.md", "字")
    folder = tmp_path / "folder"
    (folder / "real").mkdir(parents=True)
    write(folder / "real", "a.md", "字")
    (folder / "alias.md").symlink_to(folder / "real" / "a.md")
    (folder / "again").symlink_to(folder / "real", target_is_directory=True)
    (folder / "again.md").symlink_to(folder / "real", target_is_directory=True)
    (folder / "real" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "away").symlink_to(outside, target_is_directory=True)
    (folder / "away.md").symlink_to(outside / "secret.md")
    (folder / "gone.md").symlink_to(folder / "nowhere.md")
    (folder / "self.md").symlink_to(folder / "self.md")
    found, skipped = found_in(folder)
    assert found == ["alias.md", "real/a.md"]
    assert sorted(skipped) == ["away", "away.md", "gone.md", "self.md"]
    assert str(outside) in skipped["away"]
    assert "leads nowhere" in skipped["gone.md"]


def test_walk_reports_a_folder_it_may_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    write(tmp_path, "a.md", "字")
    scan = os.scandir

    def refuse(path: Path) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, skipped = found_in(tmp_path)
    assert found == ["a.md"]
    assert skipped == {
        "closed": "the folder can't be opened (Permission denied); check its permissions"
    }


def test_walk_of_one_file_yields_it(tmp_path: Path) -> None:
    path = write(tmp_path, ".notes.xyz", "字")
    assert list(readers.walk(path)) == [path]


def test_walk_of_a_linked_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write(tmp_path / "real", "a.md", "字")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert list(readers.walk(tmp_path / "link")) == [tmp_path / "link" / "a.md"]


def test_walk_of_deep_folders(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*["d"] * 400)
    deepest.mkdir(parents=True)
    write(deepest, "a.md", "字")
    assert list(readers.walk(tmp_path)) == [deepest / "a.md"]


def test_walk_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Check the spelling"):
        list(readers.walk(tmp_path / "missing"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="Cannot open"):
        list(readers.walk(tmp_path / "loop"))
