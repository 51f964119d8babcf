"""What can go wrong, as one tree of exceptions.

    QunceError
    ├── InputError          what a person gave can't be used
    │   ├── DocumentError   one document can't be read (indexing counts and skips it)
    │   ├── BriefError      a brief is missing, malformed or has unknown keys
    │   ├── RecipeError     a recipe, card, theme or word list is malformed
    │   ├── ChatLogError    a chat export can't be read
    │   └── ConflictError   somebody else changed it meanwhile
    ├── PlaybookError       an index is missing, damaged or made by another encoder
    ├── EncoderError        an encoder is unknown, not installed or does not answer
    ├── ModelError          a classifier is missing, damaged or made by another version
    ├── WindowsError        the store behind repeats and flood can't be reached or read
    ├── ChatError           a chat model is not set up, does not answer, or answers nothing usable
    └── LedgerError         the ledger can't be opened, reached or brought up to date

Every message says what was given and what to do next.
"""

from __future__ import annotations


class QunceError(Exception):
    """Base of every error that Qunce raises on purpose."""


class InputError(QunceError):
    """What a person gave (a file, an option, a text) can't be used."""


class DocumentError(InputError):
    """One document can't be read; indexing counts it and goes on."""


class BriefError(InputError):
    """A brief is missing, malformed or has unknown keys."""


class RecipeError(InputError):
    """A recipe, card, theme or word list is malformed."""


class ChatLogError(InputError):
    """A chat export can't be read: no text, no chat, several chats in one file."""


class ConflictError(InputError):
    """What was to be changed is no longer as the person saw it."""


class PlaybookError(QunceError):
    """An index is missing, damaged or was made by another encoder."""


class EncoderError(QunceError):
    """An encoder is unknown, not installed or does not answer."""


class ModelError(QunceError):
    """A trained classifier is missing, damaged, made by another version or made worse."""


class WindowsError(QunceError):
    """The store behind repeats and flood is not installed, can't be reached or can't be read."""


class ChatError(QunceError):
    """A chat model is not set up, does not answer in time, refuses, or answers nothing usable."""


class LedgerError(QunceError):
    """The ledger's database is not installed, can't be reached, or is of another version."""
