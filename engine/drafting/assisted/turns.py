"""Prompt, task, worked example and fenced data → the turns of one question.

What is the same for every question of a kind comes first, so that servers keep it; the data come
last, and after them the task's first line once more.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.chat.model import Turn


def task_turns(prompt: str, task: str, example: tuple[str, str], data: Sequence[str]) -> list[Turn]:
    """What a model is asked.

    Args:
        prompt: What holds for every task of a recipe.
        task: What to write; its first line stands for it after the data.
        example: Data as they may come, and a good answer.
        data: Each fenced.
    """
    question, answer = example
    asked = task.strip().splitlines()[0]
    return [
        Turn("system", f"{prompt.strip()}\n\n{task.strip()}"),
        Turn("user", f"{question.strip()}\n{asked}"),
        Turn("assistant", answer.strip()),
        Turn("user", "\n".join([*data, asked])),
    ]
