"""Texts that people enter: names, titles and notes."""

import unicodedata

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Invisible characters that Unicode counts as letters or symbols: Hangul fillers and the empty Braille pattern."""


def composed(text: str) -> str:
    """A text in composed form (NFC), the same for each way of typing it.

    NFC decomposes a few characters: a text with one stays as it is, since it might grow beyond its limit.
    """
    normal = unicodedata.normalize("NFC", text)
    return normal if len(normal) <= len(text) else text


def tidied(text: str) -> str:
    """A text in composed form, without surrounding blanks; empty if none of it is visible."""
    is_seen = any(unicodedata.category(letter)[0] not in "CMZ" and letter not in _BLANK_LETTERS for letter in text)
    return composed(text).strip() if is_seen else ""
