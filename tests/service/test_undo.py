"""`/v1/undo` and `/v1/feedback`: once, by whom it may be, and kept for training."""

from __future__ import annotations

from itertools import count

import pytest

from tests.service.hooking import AD, Room, onebot_message, platform_api, serving

_GROUPS = count(500)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One service without keys, for many tests."""
    folder = tmp_path_factory.mktemp("undo")
    with platform_api() as api, serving(folder, api.url, keep_text=True) as served:
        yield served, api


@pytest.fixture
def room(shared):
    """A group of its own in that service."""
    return Room(*shared, next(_GROUPS))


@pytest.fixture
def locked(tmp_path):
    """A group in a service that has keys."""
    with platform_api() as api, serving(tmp_path, api.url) as served:
        yield Room(served, api, 500)


def with_key(room, *scopes, group=""):
    """The header of a new key."""
    _, secret = room.parts.ledger.keys.add(f"tester {scopes} {group}", scopes, group)
    return {"Authorization": f"Bearer {secret}"}


def two_offences(room):
    for at in (1, 2):
        room.onebot(onebot_message(AD, at))
    assert room.methods
    return room.entries


def kept(room):
    """The feedback that was kept last."""
    return list(room.parts.ledger.feedback.rows())[-1]


def test_a_deed_is_undone_once_with_its_reverse_call(room):
    _, mute = two_offences(room)
    answer = room.client.post(f"/v1/undo/{mute.id}")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["entry"], told["deed"], told["calls"], told["undone_by"]) == (
        mute.id, "mute", 1, "local",
    )  # fmt: skip
    assert room.client.post(f"/v1/undo/{mute.id}").status_code == 409
    assert room.made[-1] == (
        "set_group_ban", {"group_id": room.group, "user_id": 10001, "duration": 0},
    )  # fmt: skip


def test_what_was_undone_counts_no_more_and_teaches(room):
    recall, mute = two_offences(room)
    for entry in (mute, recall):
        room.client.post(f"/v1/undo/{entry.id}")
    rows = list(room.parts.ledger.feedback.rows())[-2:]
    assert {(row.text, row.category, row.source) for row in rows} == {(AD, "normal", "undo")}
    room.onebot(onebot_message(AD, 3))
    assert room.entries[-1].offence == 1


@pytest.mark.parametrize("id", ["999999", str(2**63 - 1)], ids=["unknown", "largest"])
def test_what_is_not_there_can_not_be_undone(room, id):
    assert room.client.post(f"/v1/undo/{id}").status_code == 404


@pytest.mark.parametrize("id", ["0", "-1", "x", "1.5", str(2**63), "9" * 400])
def test_what_is_no_number_is_refused(room, id):
    assert room.client.post(f"/v1/undo/{id}").status_code == 422


def test_undo_is_for_admins_and_for_their_own_group(locked):
    _, mute = two_offences(locked)
    path = f"/v1/undo/{mute.id}"
    assert locked.client.post(path, headers=with_key(locked, "check", "draft")).status_code == 403
    other = with_key(locked, "admin", group="elsewhere")
    assert locked.client.post(path, headers=other).status_code == 404
    own = with_key(locked, "admin", group="500")
    assert locked.client.post(path, headers=own).status_code == 200


FEEDBACK = [
    ("a category", {"text": "好", "category": "normal"}, "normal"),
    ("another", {"text": "坏", "category": "fraud"}, "fraud"),
    ("it should pass", {"text": "好", "suggestion": "pass"}, "normal"),
    ("it should not", {"text": "坏", "suggestion": "block"}, "any"),
    ("both", {"text": "坏", "suggestion": "review", "category": "ad"}, "ad"),
]


@pytest.mark.parametrize(
    ("said", "label"), [case[1:] for case in FEEDBACK], ids=[case[0] for case in FEEDBACK]
)
def test_feedback_is_kept(room, said, label):
    answer = room.client.post("/v1/feedback", json=said)
    assert (answer.status_code, answer.json()) == (201, {"category": label, "entry": 0})
    row = kept(room)
    assert (row.text, row.category, row.source) == (said["text"], label, "local")


def test_feedback_may_name_an_entry_in_place_of_a_text(room):
    recall, _ = two_offences(room)
    said = {"entry": recall.id, "category": "normal"}
    assert room.client.post("/v1/feedback", json=said).status_code == 201
    row = kept(room)
    assert (row.text, row.entry) == (AD, recall.id)


WRONG = [
    ("nothing said", {"text": "好"}, 422),
    ("no text", {"category": "ad"}, 422),
    ("blank text", {"text": "  ", "category": "ad"}, 422),
    ("unknown category", {"text": "好", "category": "politeness"}, 422),
    ("contradiction", {"text": "好", "category": "normal", "suggestion": "block"}, 422),
    ("unknown entry", {"text": "好", "category": "ad", "entry": 999999}, 404),
    ("entry below none", {"text": "好", "category": "ad", "entry": -1}, 422),
    ("huge entry", {"text": "好", "category": "ad", "entry": 2**63}, 422),
    ("too long", {"text": "好" * 20_001, "category": "ad"}, 422),
    ("unknown key", {"text": "好", "category": "ad", "label": "x"}, 422),
    ("list", [1], 422),
]


def test_wrong_feedback_is_refused(room):
    before = list(room.parts.ledger.feedback.rows())
    for name, said, status in WRONG:
        answer = room.client.post("/v1/feedback", json=said)
        assert (name, answer.status_code) == (name, status)
        assert set(answer.json()) == {"error"}
    assert list(room.parts.ledger.feedback.rows()) == before


def test_feedback_on_another_groups_entry_is_refused(locked):
    recall, _ = two_offences(locked)
    headers = with_key(locked, "check", group="elsewhere")
    said = {"entry": recall.id, "category": "normal"}
    assert locked.client.post("/v1/feedback", json=said, headers=headers).status_code == 404


def test_an_entry_without_a_kept_text_needs_one(locked):
    recall, _ = two_offences(locked)
    answer = locked.client.post("/v1/feedback", json={"entry": recall.id, "category": "ad"})
    assert answer.status_code == 422
    assert "keeps no text" in answer.json()["error"]["message"]


def test_a_message_let_off_no_longer_counts_as_said_before(room):
    for at in range(1, 5):
        room.onebot(onebot_message(AD, at, sender=at))
    group = str(room.group)

    def times():
        asked = {"text": AD, "group": group, "sender": "9", "id": "last"}
        findings = room.client.post("/v1/check", json=asked).json()["findings"]
        return [found["detail"] for found in findings if found["source"] == "flood"]

    before = times()
    for entry in room.entries[:2]:
        assert room.client.post(f"/v1/undo/{entry.id}").status_code == 200
    assert (before, times()) == (["the same text 5 times in 120 s by 5 people"], [])
