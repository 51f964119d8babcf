from __future__ import annotations

import dataclasses
import io
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree
from PIL import Image

from engine.bundled import bundled
from engine.drafting.draft import Draft
from engine.drafting.picture import (
    CONTRASTS,
    SIZES,
    Layout,
    Poster,
    compose,
    contrast,
    load_theme,
    qr_modules,
    render,
    render_png,
    render_svg,
    text_boxes,
    theme_names,
)
from engine.drafting.poster.themes import LEAST_CONTRAST
from engine.errors import InputError, RecipeError

LONG = (
    "每周一晚 8 点一起读 40 分钟，领读人讲完一章停下来问一个问题，答得上来的说说自己家怎么做。" * 7
)
LONG = LONG[:300]
FULL = Poster(
    brand="灯下读书会",
    headline="孩子睡了，书翻开三页就困？",
    subhead="和 37 位北京职场妈妈，每周一晚 8 点一起读 40 分钟",
    points=(
        "林老师做了 9 年心理咨询，每次只讲一个办法",
        "这个月读亲子沟通",
        "不打卡、不收费",
    ),
    audience="3-10 岁孩子的职场妈妈",
    when_where="每周一 20:00-20:40，微信群语音",
    offer="前 50 位送共读笔记",
    host="林老师",
    action="扫码回复「读书」，自动拉你进群",
    qr="https://work.weixin.qq.com/gm/3f9c1d0b7a6e4f2d",
    label="本图文由 AI 辅助生成",
)
POSTERS = {
    "short": Poster(headline="爬山"),
    "headline and action": Poster(headline="周六一起去爬山", action="回复「爬山」报名"),
    "full": FULL,
    "no code": replace(FULL, qr=""),
    "code only": Poster(headline="周六一起去爬山", qr=FULL.qr),
    "label only": Poster(headline="周六一起去爬山", label=FULL.label),
    "no points": replace(FULL, points=()),
    "six points": replace(FULL, points=("新款 9 折", "留码 48 小时", *FULL.points, "免费量身高")),
    "no facts": replace(FULL, when_where="", offer="", host=""),
    "300 characters": Poster(
        **dict.fromkeys(
            ("brand", "headline", "subhead", "audience", "when_where", "offer", "host"), LONG
        ),
        action=LONG,
        label=LONG,
        points=(LONG,) * 6,
        qr="https://example.com/" + "a" * 280,
    ),
    "one endless word": replace(FULL, headline="a" * 300, action="b" * 300, points=("c" * 300,)),
    "English": Poster(
        brand="PixelTofu Studio",
        headline="Break our game before launch day",
        subhead="Closed beta of Tofu City, the last one before the Steam Next Fest demo",
        points=("A new build every Friday evening", "Your name in the credits"),
        audience="Roguelike players",
        when_where="Sept 5, 20:00 UTC+8, Discord",
        offer="50 keys, first come first served",
        action="Scan to join the test group",
        qr="https://discord.gg/aBcDeFg",
    ),
    "emoji": replace(FULL, headline="🎉🎉早睡早起👨‍👩‍👧 第 3 期🔥", points=("📚 晨读", "🔥")),
    "markup": replace(FULL, headline='<b>5 & "6"</b>', subhead="a < b > c &amp; \x00\x1b\ud800"),
}
EVERY_SIZE = pytest.mark.parametrize("size", SIZES)
EVERY_THEME = pytest.mark.parametrize("name", theme_names())
EVERY_POSTER = pytest.mark.parametrize("poster", POSTERS)


@cache
def laid_out(poster: str, name: str, size: str) -> Layout:
    return compose(POSTERS[poster], load_theme(name), size)


def picture(svg: str) -> Image.Image:
    return Image.open(io.BytesIO(render_png(svg))).convert("RGB")


@EVERY_SIZE
@EVERY_THEME
@EVERY_POSTER
def test_nothing_overlaps_and_all_is_inside(poster: str, name: str, size: str) -> None:
    width, height = SIZES[size]
    boxes = laid_out(poster, name, size).boxes
    for box in boxes:
        assert box.x >= 0 and box.x + box.width <= width, box
        assert box.y >= 0 and box.y + box.height <= height, box
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other), (one, other)


@EVERY_SIZE
@EVERY_THEME
@EVERY_POSTER
def test_texts_stand_inside_their_grounds(poster: str, name: str, size: str) -> None:
    layout = laid_out(poster, name, size)
    boxes = {text.name: text.box for text in layout.texts}
    grounds = {"tag": "audience", "button": "action", "offer": "offer"}
    for shape in layout.items:
        text = boxes.get(grounds.get(getattr(shape, "kind", ""), ""))
        if text is not None:
            assert shape.x <= text.x and text.x + text.width <= shape.x + shape.width
            assert shape.y <= text.y and text.y + text.height <= shape.y + shape.height


@EVERY_SIZE
@EVERY_THEME
@EVERY_POSTER
def test_every_word_is_shown_or_accounted_for(poster: str, name: str, size: str) -> None:
    layout = laid_out(poster, name, size)
    shown = {
        text.name: "".join(line.text for line in text.setting.lines).replace(" ", "")
        for text in layout.texts
    }
    if size == "banner" and not POSTERS[poster].subhead:
        shown["when_where"] = shown["offer"] = shown.get("subhead", "")
    for field, text in given(POSTERS[poster]).items():
        if field in layout.shortened:
            assert shown[field].endswith("…") and text.startswith(shown[field][:-1])
        elif field not in layout.left_out:
            assert shown[field] == text


def given(poster: Poster) -> dict[str, str]:
    """Field → its words, without blanks and what no face can draw; empty fields are left out."""
    fields = {field.name: getattr(poster, field.name) for field in dataclasses.fields(poster)}
    for name in ("points", "qr"):
        fields.pop(name)
    points = [point for point in poster.points if point != "🔥"]
    fields |= {f"points[{at}]": point for at, point in enumerate(points)}
    words = {
        name: re.sub(r"[\s\x00-\x1f\ud800-\udfff\u200d🎉📚🔥👨👩👧]", "", text)
        for name, text in fields.items()
    }
    return {name: text for name, text in words.items() if text}


@EVERY_SIZE
@EVERY_THEME
def test_ink_stays_in_its_boxes(name: str, size: str) -> None:
    theme = load_theme(name)
    svg = render_svg(FULL, theme, size)
    texts = "".join(re.findall(r"<g font-family.*?</g>", svg))
    texts = re.sub(r'(fill|stroke)="#[0-9A-F]{6}"', r'\1="#000000"', texts)
    width, height = SIZES[size]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    drawn = picture(f'{head}<rect width="100%" height="100%" fill="#fff"/>{texts}</svg>')
    for box in text_boxes(FULL, theme, size):
        area = drawn.crop(
            (int(box.x), int(box.y), int(box.x + box.width) + 1, int(box.y + box.height) + 1)
        )
        if box.name != "qr":
            assert min(area.convert("L").tobytes()) < 100, f"{box.name} is blank"
        edge = (int(box.x) - 3, int(box.y) - 1, int(box.x + box.width) + 4, int(box.y + box.height))
        drawn.paste("#fff", edge)
    assert drawn.convert("L").point(lambda value: 255 if value < 200 else 0).getbbox() is None


@EVERY_SIZE
def test_png_has_the_size_asked_for(size: str) -> None:
    assert picture(render_svg(FULL, load_theme("paper"), size)).size == SIZES[size]


@EVERY_SIZE
@pytest.mark.parametrize("name", ["paper", "night"])
@pytest.mark.parametrize("payload", [FULL.qr, "微信号：qunce", "https://example.com/" + "a" * 280])
def test_code_can_be_read_back_from_the_pixels(name: str, size: str, payload: str) -> None:
    theme, poster = load_theme(name), replace(FULL, qr=payload)
    box = next(box for box in text_boxes(poster, theme, size) if box.name == "qr")
    drawn = picture(render_svg(poster, theme, size)).convert("L")
    expected = qr_modules(payload)
    side = len(expected) + 8
    module = box.width / side
    assert module == int(module) >= 2
    pixels = [
        [
            drawn.getpixel(
                (
                    round(box.x) + int((column + 0.5) * module),
                    round(box.y) + int((row + 0.5) * module),
                )
            )
            for column in range(side)
        ]
        for row in range(side)
    ]
    dark = tuple(tuple(value < 100 for value in row[4:-4]) for row in pixels[4:-4])
    assert dark == expected
    quiet = [*pixels[1:4], *pixels[-4:-1], *([*row[1:4], *row[-4:-1]] for row in pixels[4:-4])]
    assert all(value > 240 for row in quiet for value in row[1:-1])


@pytest.mark.parametrize(
    ("payload", "size", "message"),
    [
        pytest.param(
            "a" * 3000, "story", r"payload of 3000 characters.*shorter link", id="any size"
        ),
        pytest.param("读" * 600, "banner", r"600 characters needs \d+ modules", id="this size"),
    ],
)
def test_payload_too_long_is_refused(payload: str, size: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        render(replace(FULL, qr=payload), load_theme("paper"), size)


@pytest.mark.parametrize("headline", ["", "  ", "🎉", "\x00"])
def test_a_headline_is_needed(headline: str) -> None:
    with pytest.raises(InputError, match="headline"):
        render(Poster(headline=headline), load_theme("paper"), "story")


def test_unknown_size_names_the_known() -> None:
    with pytest.raises(InputError, match=r"'poster'. Sizes: story, square, banner"):
        render(FULL, load_theme("paper"), "poster")


@EVERY_THEME
def test_markup_stays_text(name: str) -> None:
    root = etree.fromstring(render_svg(POSTERS["markup"], load_theme(name), "story").encode())
    shown = [element.text for element in root.iter("{*}text")]
    assert '<b>5&"6"</b>' in "".join(shown).replace(" ", "")
    assert "a < b > c &amp;" in shown


@EVERY_THEME
def test_banner_says_what_it_left_out(name: str) -> None:
    rendered = render(FULL, load_theme(name), "banner")
    assert rendered.left_out == (
        "audience", "points[0]", "points[1]", "points[2]", "when_where", "host", "offer",
    )  # fmt: skip
    assert rendered.shortened == ()


@EVERY_SIZE
@EVERY_THEME
@EVERY_POSTER
def test_what_always_stays(poster: str, name: str, size: str) -> None:
    names = {box.name for box in laid_out(poster, name, size).boxes}
    words = POSTERS[poster]
    assert {"headline", *(n for n in ("action", "label", "qr") if getattr(words, n))} <= names


def test_more_than_six_points_are_named() -> None:
    rendered = render(replace(FULL, points=("读书",) * 8), load_theme("paper"), "story")
    assert rendered.left_out == ("points[6]", "points[7]")


def test_dropped_characters_are_counted() -> None:
    assert render(POSTERS["emoji"], load_theme("paper"), "story").dropped_glyphs == 8
    assert render(FULL, load_theme("paper"), "story").dropped_glyphs == 0


@pytest.mark.parametrize("poster", ["full", "no code", "no facts", "English", "six points"])
@EVERY_SIZE
@EVERY_THEME
def test_the_headline_leads(poster: str, name: str, size: str) -> None:
    sizes = {text.name: text.setting.size for text in laid_out(poster, name, size).texts}
    headline = sizes.pop("headline")
    assert headline >= 1.4 * max(sizes.values())


@EVERY_THEME
@pytest.mark.parametrize("size", ["story", "square"])
def test_few_words_fill_the_poster(name: str, size: str) -> None:
    few, full = laid_out("headline and action", name, size), laid_out("full", name, size)
    assert few.art is not None and few.art.height > 0.15 * few.height
    assert few.texts[0].setting.size > next(
        text.setting.size for text in full.texts if text.name == "headline"
    )


def test_the_same_words_give_the_same_picture() -> None:
    assert render_svg(FULL, load_theme("night"), "square") == render_svg(
        FULL, load_theme("night"), "square"
    )


def test_poster_of_a_draft() -> None:
    draft = Draft(
        "poster",
        "poster",
        {"headline": "周六爬山", "point": ("自带水", "8 点出发"), "qr": "x", "audience": "山友"},
        "…",
    )
    assert Poster.of(draft) == Poster(
        headline="周六爬山", points=("自带水", "8 点出发"), qr="x", audience="山友"
    )
    one = Poster.of(replace(draft, fields={"headline": "周六爬山", "point": "自带水"}))
    assert one.points == ("自带水",)


def test_broken_svg_is_refused() -> None:
    with pytest.raises(InputError, match="can't be drawn"):
        render_png("<svg")


@EVERY_THEME
@pytest.mark.parametrize(("text", "ground"), CONTRASTS)
def test_text_can_be_read_on_its_ground(name: str, text: str, ground: str) -> None:
    colors = load_theme(name).colors
    assert contrast(getattr(colors, text), getattr(colors, ground)) >= LEAST_CONTRAST


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@EVERY_THEME
def test_every_used_colour_pair_is_checked(name: str) -> None:
    grounds = {"panel", "offer", "footer", "tag", "action", "hero", "background"}
    assert grounds <= {ground for _, ground in CONTRASTS}
    inks = {text.color for size in SIZES for text in laid_out("full", name, size).texts}
    assert inks <= {ink for ink, _ in CONTRASTS}


def test_themes_differ() -> None:
    themes = [load_theme(name) for name in theme_names()]
    assert len(themes) >= 4
    assert len({theme.colors.hero for theme in themes}) == len(themes)
    assert len({theme.shapes.motif for theme in themes}) == len(themes)


def broken(**changes: Any) -> str:
    data = yaml.safe_load((bundled("knowledge/themes") / "paper.yaml").read_text(encoding="utf-8"))
    for key, value in changes.items():
        part, _, name = key.partition("__")
        if name:
            data[part][name] = value
        else:
            data[part] = value
    return str(yaml.safe_dump(data, allow_unicode=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(broken(colour="#FFFFFF"), r"unknown key 'colour'", id="unknown key"),
        pytest.param(broken(colors__inc="#FFFFFF"), r"unknown key 'colors.inc'", id="nested"),
        pytest.param(broken(colors__ink="red"), r"'colors.ink'", id="not a colour"),
        pytest.param(broken(fonts__text="comic"), r"'fonts.text'", id="unknown face"),
        pytest.param(broken(shapes__motif="cats"), r"'shapes.motif'", id="unknown motif"),
        pytest.param(
            broken(colors__muted="#CCBBAA"),
            r"colors.muted on colors.background has contrast",
            id="pale",
        ),
        pytest.param("a: [", r"not valid YAML", id="no YAML"),
        pytest.param("- 1", r"\(whole file\)", id="a list"),
        pytest.param("", r"\(whole file\)", id="empty"),
        pytest.param("#" * 300_000, r"larger than 256 KiB", id="huge"),
    ],
)
def test_a_bad_theme_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message):
        load_theme(path)


def test_ones_own_theme(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(broken(align="center"), encoding="utf-8")
    assert load_theme(str(path)).align == "center"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weibo", r"Unknown theme 'weibo'. Themes: festive, market, night, office, paper"),
        ("nowhere/x.yaml", r"can't be read"),
        ("../themes/paper", r"Unknown theme"),
    ],
)
def test_a_theme_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_theme(name)


def test_heavy_packages_wait_until_needed() -> None:
    code = (
        "import sys, engine.drafting.picture\n"
        "print([m for m in ('resvg_py', 'segno', 'fontTools', 'rjieba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
