"""Prompt, task, worked example and fenced data → the turns of one question.

What is the same for every question of a kind comes first, so that servers keep it; the data come
last, and after them what to write once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.chat.model import Turn


def task_turns(
    prompt: str,
    task: str,
    fields: Mapping[str, str],
    example: tuple[Sequence[str], Mapping[str, Any]],
    data: Sequence[str],
) -> list[Turn]:
    """What a model is asked.

    Args:
        prompt: What holds for every task of a recipe.
        task: What to write, in one line: {fields}.
        fields: Those asked for → what each says and how long it is.
        example: Data as they may come, line by line; field → what a good answer has there. Fields
            that aren't asked for are left out.
        data: Each fenced.
    """
    lines, told = example
    asked = task.strip().replace("{fields}", "、".join(fields))
    what = "\n".join(f"{field}：{said}" for field, said in fields.items())
    answer = {field: told[field] for field in fields}
    return [
        Turn("system", f"{prompt.strip()}\n\n{asked}\n{what}"),
        Turn("user", "\n".join([*lines, asked])),
        Turn("assistant", json.dumps(answer, ensure_ascii=False)),
        Turn("user", "\n".join([*data, asked])),
    ]


def shown(label: str, lines: Sequence[str]) -> list[str]:
    """Data of a worked example between marks as a fence has them."""
    return [f"〔{label}〕", *lines, f"〔/{label}〕"]
