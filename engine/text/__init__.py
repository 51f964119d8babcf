"""Text: one folding, one way to cut words and one table of sounds for the whole engine."""

from engine.text.fold import Folded, fold, fold_text, skeleton
from engine.text.sounds import sounds, sounds_of_codes, syllables
from engine.text.words import Segmenter, default_segmenter, search_words, words

__all__ = [
    "Folded",
    "Segmenter",
    "default_segmenter",
    "fold",
    "fold_text",
    "search_words",
    "skeleton",
    "sounds",
    "sounds_of_codes",
    "syllables",
    "words",
]
