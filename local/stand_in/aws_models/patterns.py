"""Patterns of the models, translated from Java to Python.

Java's \\w, \\d, \\s and POSIX classes match ASCII only, its \\p{L} and the like match Unicode; characters beyond U+FFFF
are pairs of surrogates. Source: Java SE API, java.util.regex.Pattern.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

import regex

_ASCII: Final = {
    "w": "a-zA-Z0-9_",
    "d": "0-9",
    "s": r" \t\n\x0b\f\r",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "ASCII": r"\x00-\x7f",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "Digit": "0-9",
    "Graph": "!-~",
    "Lower": "a-z",
    "Print": " -~",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r" \t\n\x0b\f\r",
    "Upper": "A-Z",
    "XDigit": "0-9a-fA-F",
    # Character's own predicates.
    "all": r"\x00-\U0010FFFF",
    "LD": r"\p{L}\p{Nd}",
}
_SURROGATES: Final = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
_TOKEN: Final = regex.compile(
    r"\\x\{(?P<code>[0-9A-Fa-f]+)\}|\\p\{(?P<name>\w+)\}|\\(?P<escaped>.)|(?P<plain>.)", regex.S
)


@functools.cache
def matcher(pattern: str) -> Callable[[str], object] | None:
    """A function that matches a whole text; None for a pattern that Python does not support."""
    try:
        compiled: Any = regex.compile(_translated(pattern), regex.V1 if "&&" in pattern else regex.V0)
    except regex.error:
        return None
    return compiled.fullmatch


def _translated(pattern: str) -> str:
    pieces: list[str] = []
    in_class = False
    for token in _TOKEN.finditer(pattern.replace(*_SURROGATES)):
        plain = token["plain"]
        if plain is not None:
            # Java nests classes. An unescaped bracket in a class is rare enough for Python's reading.
            in_class = plain == "[" or (in_class and plain != "]")
        pieces.append(_piece(token, in_class=in_class))
    return "".join(pieces)


def _piece(token: Any, *, in_class: bool) -> str:
    text = str(token[0])
    if token["code"]:
        return f"\\U{int(token['code'], 16):08x}"
    if token["escaped"] == "z":
        return r"\Z"
    members = _ASCII.get(token["name"] or token["escaped"] or "")
    if members is not None:
        return members if in_class else f"[{members}]"
    return text
