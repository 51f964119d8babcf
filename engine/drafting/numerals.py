"""A text in → the numbers it states, Arabic and Chinese, each with value, unit and kind.

What counts as stating a number:

- every Arabic number, but for list marks at the start of a line (`1.`, `2、`) and digits inside
  Latin words (B2B);
- percentages, discounts, prices, dates, weekdays and times of day;
- Chinese numerals from eleven on; smaller ones, and 十 百 千 万 alone, with a measure word; 半
  with a measure of time, weight or price. 一 is idiomatic nearly everywhere (一起, 一个) and
  counts only before 小时, 元, 折, 斤 and the like, or in a date, a weekday or a time;
- ordinals where they number things (第三期), not where they order words (第一次, 第二步).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from engine.drafting.phrases import LINE_BREAKS
from engine.drafting.quantities import Kind, Number
from engine.text.fold import fold


def numbers(text: str, idioms: re.Pattern[str] | None = None) -> tuple[Number, ...]:
    """The numbers that a text states, in reading order.

    Args:
        text: Any text; it is folded inside, offsets point into it as given.
        idioms: Words whose numerals state nothing (千万别), as a pattern on folded text.
    """
    folded = fold(text.translate(LINE_BREAKS))
    found = []
    for number in scan(folded.text, idioms):
        start, end = folded.span(number.start, number.end)
        found.append(replace(number, text=text[start:end], start=start))
    return tuple(found)


def scan(folded: str, idioms: re.Pattern[str] | None = None) -> list[Number]:
    """As `numbers`, of a folded text whose line breaks are 。; offsets point into it."""
    rest = _LIST_MARK.sub(_blank, folded)
    if idioms:
        rest = idioms.sub(_blank, rest)
    found: list[Number] = []
    for sign, pattern, reader in _READERS:
        if not sign.search(rest):
            continue
        taken = []
        for match in pattern.finditer(rest):
            if read := list(reader(match)):
                found.extend(read)
                taken.append(match)
        rest = blanked(rest, taken, "\0")
    found.sort(key=lambda number: number.start)
    return _with_range_units(found, folded)


def value_of(numeral: str) -> float:
    """The value of an Arabic or Chinese numeral: 1,200, 三百二, 二〇二五, 两万五, 三点五."""
    if numeral[0].isdigit():
        return float(numeral.replace(",", ""))
    whole, _, tenths = numeral.partition("点")
    if tenths:
        return value_of(whole) + float("0." + "".join(str(_DIGITS[digit]) for digit in tenths))
    if not any(char in _POWERS for char in whole):
        return float("".join(str(_DIGITS[digit]) for digit in whole))
    total = section = digit = 0.0
    last = 1
    for char in whole:
        if char in _DIGITS:
            digit = _DIGITS[char]
            last = 1 if char in "零〇" else last
        elif _POWERS[char] < 10_000:
            section += (digit or 1) * _POWERS[char]
            digit, last = 0, _POWERS[char]
        else:
            part = section + digit or (0 if total else 1)
            total = (total + part) * _POWERS[char] if char == "亿" else total + part * 10_000
            section, digit, last = 0, 0, _POWERS[char]
    return total + section + digit * (last / 10 if last >= 100 else 1)


_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_SUFFIXES = _POWERS | {"w": 10_000, "k": 1000}

_BY_UNIT: dict[tuple[str, float], str] = {
    ("人", 1): "人 位 名 户 人次 席 席位 名额",
    ("件", 1): "本 份 件 套 盒 袋 箱 瓶 册 张 支 只 杯 罐 包 辆 台 幅 束 株 棵 枚 颗 粒 条 部",
    ("次", 1): "次 场 期 节 堂 课 讲 届 季 章 集 轮 遍 回 关 篇 站 顿",
    ("个", 1): "个 家 项 款 种 类 组 队 班 群 店 间 道 首 门 步 号 层 楼 排 级 年级",
    ("字", 1): "字 页",
    ("秒", 1): "秒 秒钟",
    ("分钟", 1): "分钟 min",
    ("分钟", 60): "小时 个小时 钟头 个钟头",
    ("天", 1): "天 日 晚 个晚上 个工作日",
    ("天", 7): "周 星期 个星期 个礼拜",
    ("月", 1): "月 个月",
    ("年", 1): "年 周年",
    ("岁", 1): "岁",
    ("元", 1): "元 块 块钱 rmb",
    ("元", 0.1): "毛钱",
    ("元", 0.01): "分钱",
    ("克", 1): "克",
    ("克", 500): "斤",
    ("克", 1000): "公斤 千克 kg",
    ("米", 1): "米",
    ("米", 0.01): "厘米 cm",
    ("米", 1000): "公里 千米 km",
    ("亩", 1): "亩",
    ("毫升", 1): "毫升 ml",
    ("平米", 1): "平米 平方米",
    ("倍", 1): "倍",
    ("%", 1): "% 个百分点",
    ("%", 10): "成",
    ("折", 1): "折",
}
_MEASURES = {word: unit for unit, words in _BY_UNIT.items() for word in words.split()}
_HOURS = {"小时", "个小时", "钟头", "个钟头"}
_AFTER_ONE = _HOURS | {"元", "折", "斤", "公斤", "公里", "分钱", "毛钱", "%", "倍"}
_AFTER_HALF = _HOURS | {"年", "个月", "月", "斤", "公斤", "公里", "亩"}
_NUMBERING = frozenset("期届季章周场篇站关课讲节集卷册版名楼层号")
_NOT_WEEKDAY = frozenset("次节本回场篇课更遍顿个封条份天下起定样直般些点共切旦同句位名张集期")
_ROUGH = frozenset("几数上")
_NUMERALS = frozenset("一二两三四五六七八九十半几0123456789")
_WEEK_ENDS = frozenset("周期拜")
_MORNING = frozenset({"凌晨", "清晨", "早晨", "早上", "早间", "早", "上午"})
_WEEKDAYS = {char: day for day, char in enumerate("一二三四五六日", start=1)} | {"天": 7}


def _alternatives(words: list[str]) -> str:
    guards = {"折": "(?![叠返纸腾页磨射痕回损断])", "成": "(?![功为长果都本员立就熟型交绩语效])"}
    longest_first = sorted(words, key=len, reverse=True)
    return "|".join(re.escape(word) + guards.get(word, "") for word in longest_first)


_ARABIC = r"(?:\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,6})?|\d{1,20}(?:\.\d{1,6})?)"
_CHINESE = "[〇零一二两三四五六七八九十百千万亿]"
_DIGIT = "[一二三四五六七八九]"
_SMALL = "(?:(?<![0-9.])[0-9]{1,2}|[一二两三四五六七八九十]{1,3})"
_TO = " ?(?:[-~—–]|至|到) ?"
_PERIOD = "凌晨|清晨|早晨|早上|早间|早|上午|中午|午后|下午|傍晚|晚上|晚间|夜里|夜晚|深夜|今晚|晚"
_LATIN_MEASURE = _alternatives([word for word in _MEASURES if word.isascii() and word != "%"])
_MEASURE = _alternatives([word for word in _MEASURES if not word.isascii()]) + "|%"

_LIST_MARK = re.compile(r"(?:^|。) ?\(?\d{1,2}[.、)](?!\d)")
_BETWEEN = re.compile(_TO)

_DATE = re.compile(
    rf"(?<!\d)((?:19|20)\d\d)[-/.](\d{{1,2}})[-/.](\d{{1,2}})(?!\d)"
    rf"|((?:19|20)\d\d|[〇零一二三四五六七八九]{{4}}) ?年 ?"
    rf"(?:({_SMALL}) ?月(?: ?({_SMALL}) ?[日号])?)?"
    rf"|({_SMALL}) ?月(?: ?({_SMALL}) ?[日号])?"
    rf"|(?<![\d/.])(1[0-2]|0?[1-9])/(3[01]|[12]\d|0?[1-9])(?![\d/])"
)
_CLOCK = re.compile(rf"(?:({_PERIOD}) ?)?(?<!\d)(\d{{1,2}}):([0-5]\d)(?!\d)")
_TIME = re.compile(
    rf"(?:({_PERIOD}) ?)?(?:({_SMALL}){_TO})?({_SMALL}) ?点(?!{_DIGIT}{{1,4}}[万亿倍折公元块米])"
    rf"(?: ?(半)| ?([一三13]) ?刻| ?([0-5]\d|[零〇]{_DIGIT}|[二三四五]?十{_DIGIT}?)"
    rf"(?!\d| ?(?:分钟|{_MEASURE})) ?分?| ?(\d|{_DIGIT}) ?分(?!钟))?(钟|整)?"
)
_WEEKDAY = re.compile(
    r"(?:周|星期|礼拜)([一二三四五六日天1-7]{1,7})(?:(?:[、/]|到|至|~|-)([一二三四五六日天])(?![一-龥]{2}))?"
)
_PERCENT = re.compile(rf"百分之(百|{_ARABIC}|{_CHINESE}{{1,6}})|(百分百)|(半价|对折)")
_MONEY = re.compile(
    rf"[¥$] ?({_ARABIC}) ?([万亿])?"
    rf"|({_ARABIC}|{_CHINESE}{{1,6}}) ?块 ?([1-9]|{_DIGIT})(?![\d个])"
)
_COUNT = re.compile(
    rf"({_ARABIC})(?: ?([百千万亿]{{1,2}})|([wk])(?![a-z\d]))?(?: ?([多余几+]))?(个半)?"
    rf"(?: ?({_LATIN_MEASURE})(?![a-z\d])|(?![a-z\d]) ?({_MEASURE}))?(?![a-z\d])"
)
_CHINESE_COUNT = re.compile(
    rf"([〇零一二两三四五六七八九十百千万亿几数上]{{1,12}}(?:点{_DIGIT}{{1,4}}(?=[万亿倍折公元块米]))?|半)"
    rf"([多余]|来(?=[个位人名家年天]))?(个半)?({_MEASURE})?"
)


def blanked(text: str, matches: Iterable[re.Match[str]], blank: str) -> str:
    """The text with `blank` in place of each character matched; matches in reading order."""
    pieces, end = [], 0
    for match in matches:
        pieces += [text[end : match.start()], blank * len(match.group())]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match.group())


def _number(match: re.Match[str], kind: Kind, value: float, unit: str = "") -> Number:
    return Number(match.group(), match.start(), kind, value, unit)


def _read_date(match: re.Match[str]) -> Iterator[Number]:
    groups = [value_of(group) if group else 0 for group in match.groups()]
    year = groups[0] or groups[3]
    month = groups[1] or groups[4] or groups[6] or groups[8]
    day = groups[2] or groups[5] or groups[7] or groups[9]
    if match.group(7) in ("一", "两") and not day:
        return  # 一月一次: a month, not January
    if month <= 12 and day <= 31 and (month or year):
        yield _number(match, "date", year * 10_000 + month * 100 + day)


def _read_clock(match: re.Match[str]) -> Iterator[Number]:
    period, hour, minute = match.groups()
    if int(hour) <= 24:
        sure = len(hour) == 2 and (hour[0] == "0" or int(hour) > 12)
        yield _time(match, period, int(hour), int(minute), sure=sure)


def _read_time(match: re.Match[str]) -> Iterator[Number]:
    period, first, hour, half, quarters, minutes, minute, whole = match.groups()
    said = value_of(hour)
    exact = half or quarters or minutes or minute or whole
    if said > 24 or (hour == "一" and not exact and (not period or len(period) == 1)):
        return  # 一点, 晚一点: a little
    past = 15 * value_of(quarters) if quarters else value_of(minutes or minute or "0")
    if first and value_of(first) < said:
        yield _time(match, period, int(value_of(first)), 0)
    yield _time(match, period, int(said), 30 if half else int(past))


def _time(
    match: re.Match[str], period: str | None, hour: int, minute: int, *, sure: bool = False
) -> Number:
    if period in _MORNING:
        hour %= 24 if hour != 12 else 12
    elif period and hour < 12 and not (period == "中午" and hour == 11):
        hour += 12
    elif period and hour == 12 and period != "中午":
        hour = 24  # 晚 12 点
    known = sure or bool(period) or hour > 12 or hour == 0
    return _number(match, "time", (hour * 60 + minute) % 1440, "24h" if known else "")


def _read_weekday(match: re.Match[str]) -> Iterator[Number]:
    said, last = match.groups()
    before = match.string[max(0, match.start() - 2) : match.start()]
    if before[-1:] in _NUMERALS and before[:1] not in _WEEK_ENDS:
        return  # 一周一聊; but 周二周四
    days = [_WEEKDAYS.get(char) or int(char) for char in said]
    rising = next((i for i in range(1, len(days)) if days[i] <= days[i - 1]), len(days))
    end = match.start(1) + rising  # 周一一起: the second 一 belongs to 一起
    if rising == 1 and not last and match.string[end : end + 1] in _NOT_WEEKDAY:
        return  # 每周一次, 每周一本
    if last and rising == len(days):
        days.append(_WEEKDAYS[last])
        rising, end = rising + 1, match.end()
    for day in days[:rising]:
        yield Number(match.string[match.start() : end], match.start(), "weekday", day)


def _read_percent(match: re.Match[str]) -> Iterator[Number]:
    percent, full, half = match.groups()
    if half:
        yield _number(match, "count", 5, "折")
    else:
        yield _number(match, "count", 100 if full or percent == "百" else value_of(percent), "%")


def _read_money(match: re.Match[str]) -> Iterator[Number]:
    amount, power, blocks, tenth = match.groups()
    if blocks:
        yield _number(match, "count", value_of(blocks) + value_of(tenth) / 10, "元")
    else:
        yield _number(match, "count", value_of(amount) * _POWERS.get(power or "", 1), "元")


def _read_count(match: re.Match[str]) -> Iterator[Number]:
    digits, powers, suffix, vague, half, latin, measure = match.groups()
    before = match.string[match.start() - 1 : match.start()]
    if before == "." or (before.isascii() and before.isalpha()):
        return  # B2B, v1.2.3
    if _ordinal(match) and measure and measure not in _NUMBERING:
        return  # 第 2 步
    value = value_of(digits)
    for power in (powers or "") + (suffix or ""):
        value *= _SUFFIXES[power]
    yield _count(match, value, measure or latin or "", bool(vague), bool(half))


def _read_chinese_count(match: re.Match[str]) -> Iterator[Number]:
    numeral, vague, half, measure = match.groups()
    if _ordinal(match):
        if measure in _NUMBERING and numeral not in {"一", "半"} and not _ROUGH & set(numeral):
            yield _count(match, value_of(numeral), measure, False, False)
    elif numeral == "半":
        if measure in _AFTER_HALF:
            yield _count(match, 0.5, measure, False, False)
    elif _ROUGH & set(numeral):
        yield from _read_rough(match, numeral, measure or "")
    elif _stated(numeral, measure or "", half=bool(half)):
        yield _count(match, value_of(numeral), measure or "", bool(vague), bool(half))


def _ordinal(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 2) : match.start()]
    return before.removesuffix(" ").endswith("第")


def _stated(numeral: str, measure: str, *, half: bool) -> bool:
    """Whether a Chinese numeral states a number, rather than standing in an idiom."""
    if numeral == "一":
        return half or measure in _AFTER_ONE
    if len(numeral) == 1 or all(char in "百千万亿" for char in numeral):
        return bool(measure)
    if numeral[0] in "百千万亿":
        return False  # 万一
    # 三五个, 七八成: no number anyone can check
    return measure == "折" or any(char in _POWERS for char in numeral)


def _read_rough(match: re.Match[str], numeral: str, measure: str) -> Iterator[Number]:
    """十几, 二十几, 几十, 数百, 上千."""
    unit, factor = _MEASURES.get(measure, ("", 1))
    low = high = 0.0
    rest = numeral[1:] if numeral[0] in _ROUGH else numeral[:-1]
    if not rest or _ROUGH & set(rest) or (not measure and numeral[0] != "几"):
        return  # 几个, 加上百度
    if numeral[0] in _ROUGH:
        if not set(rest) <= set(_POWERS):
            return  # 早上八点
        powers = math.prod(_POWERS[power] for power in rest)
        low, high = powers * (1 if numeral[0] == "上" else 2), powers * 10
    else:
        low = value_of(rest)
        low, high = low + 1, low + _last_power(low)
    yield replace(_number(match, "count", low * factor, unit), below=high * factor)


def _count(match: re.Match[str], value: float, measure: str, vague: bool, half: bool) -> Number:
    unit, factor = _MEASURES.get(measure, ("", 1))
    below = value + _last_power(value) if vague else 0.0
    if unit == "折" and value >= 10:
        value /= 10  # 85 折
    value += 0.5 if half else 0
    return replace(_number(match, "count", value * factor, unit), below=below * factor)


def _last_power(value: float) -> float:
    """The power of ten that the last digit other than 0 counts: 320 → 10."""
    power = 1.0
    while value >= power * 10 and value % (power * 10) == 0:
        power *= 10
    return power


_Reader = Callable[[re.Match[str]], Iterator[Number]]
_READERS: tuple[tuple[re.Pattern[str], re.Pattern[str], _Reader], ...] = (
    (re.compile("[年月/.-]"), _DATE, _read_date),
    (re.compile(":"), _CLOCK, _read_clock),
    (re.compile("[百价折]"), _PERCENT, _read_percent),
    (re.compile("[周星礼]"), _WEEKDAY, _read_weekday),
    (re.compile("点"), _TIME, _read_time),
    (re.compile("[¥$块]"), _MONEY, _read_money),
    (re.compile(r"\d"), _COUNT, _read_count),
    (re.compile(""), _CHINESE_COUNT, _read_chinese_count),
)
"""What must be in the text for a pattern to be worth trying, the pattern, and its reader."""


def _with_range_units(found: list[Number], text: str) -> list[Number]:
    """3-5 天: the bare number before a dash counts what the one after it counts."""
    for i in range(len(found) - 1):
        first, second = found[i], found[i + 1]
        if (
            first.kind == second.kind == "count"
            and second.unit
            and not first.unit
            and _BETWEEN.fullmatch(text, first.end, second.start)
        ):
            found[i] = replace(first, unit=second.unit, value=first.value * _factor(second))
    return found


def _factor(number: Number) -> float:
    measures = [word for word in _MEASURES if number.text.endswith(word)]
    return _MEASURES[max(measures, key=len)][1] if measures else 1
