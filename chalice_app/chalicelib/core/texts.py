"""Texts that people give: names, titles and notes."""

import unicodedata

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by their category that show nothing: fillers of Hangul, and the empty Braille pattern."""


def composed(text: str) -> str:
    """A text in composed characters, the same for each way of typing it.

    Unicode takes a few characters apart in this form: such a text stays as it is, or it might grow beyond its limit.
    """
    normal = unicodedata.normalize("NFC", text)
    return normal if len(normal) <= len(text) else text


def tidied(text: str) -> str:
    """A text in composed characters and without blanks around; empty where nothing of it can be seen."""
    is_seen = any(unicodedata.category(letter)[0] not in "CMZ" and letter not in _BLANK_LETTERS for letter in text)
    return composed(text).strip() if is_seen else ""
