"""Personal data is masked; ordinary numbers and words stay as they are."""

from __future__ import annotations

import pytest

from engine.drafting.review.privacy import Privacy, plain
from engine.text.personal import personal_words

PRIVACY = Privacy(personal_words())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("打 13800001111 找我", "打 13**** 找我", id="mobile"),
        pytest.param("+86 138-0000-1111", "+8****", id="mobile with marks"),
        pytest.param("座机 010-88880000", "座机 01****", id="landline"),
        pytest.param("身份证 11010119900101001X 收到", "身份证 11**** 收到", id="identity card"),
        pytest.param("卡号 6222 0000 0000 0000 000", "卡号 62****", id="bank card"),
        pytest.param("写到 someone@example.com", "写到 so****", id="mail"),
        pytest.param("加我微信：abc_12345 吧", "加我微信：ab**** 吧", id="wechat"),
        pytest.param("vx abc12345", "vx ab****", id="short name"),
        pytest.param("QQ号123456789", "QQ号12****", id="qq"),
        pytest.param("１３８００００１１１１", "１３****", id="full-width digits"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert PRIVACY.mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "第三章读了 40 分钟，23 人到场",
        "2026-11-02 20:00 开始",
        "一共 1380 元，人均 46",
        "微信群里说一声就行",
        "我用 iPhone 拍的",
        "订单 12345678",
        "👨‍👩‍👧 一家三口",
    ],
)
def test_left_alone(text: str) -> None:
    assert PRIVACY.mask(text) == text


def test_more_contacts_can_be_found() -> None:
    seen = Privacy((), lambda text: [(text.index("幺三八"), len(text))])
    assert seen.mask("电话幺三八零零") == "电话幺三****"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("abc\u202egpj.exe", "abcgpj.exe", id="right to left override"),
        pytest.param("a\u2066b\u2069\u200b\x00\x1b[31mc", "ab[31mc", id="isolates and controls"),
        pytest.param("一\r\n二\r三", "一\n二\n三", id="line breaks"),
        pytest.param("a\ud800b", "ab", id="lone surrogate"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown
