"""Checks of a file before its upload: its name and its first bytes."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path

from video_upload.errors import FileRefusedError
from video_upload.file_types import OTHER_SIGNATURES, VIDEO_SIGNATURES, VIDEO_TYPES, Signature

CONTENT_TYPES = {extension: kind for kind, known in VIDEO_TYPES.items() for extension in known.extensions}
EVERY_CONTAINER = frozenset(known.container for known in VIDEO_TYPES.values())
SIGNATURE_BYTES = max(offset + len(found) for each in VIDEO_SIGNATURES for offset, found in each.signature)


def content_type_of(path: Path, accepted: frozenset[str] = EVERY_CONTAINER) -> str:
    """Return the type that the extension names.

    accepted: containers that the site accepts. Raises FileRefusedError for a file that by its name is in none of them.
    """
    content_type = CONTENT_TYPES.get(path.suffix.lower())
    if content_type is None or VIDEO_TYPES[content_type].container not in accepted:
        known = (kind for kind in VIDEO_TYPES.values() if kind.container in accepted)
        extensions = ", ".join(extension for kind in known for extension in kind.extensions)
        raise FileRefusedError(path, f"not accepted here. Accepted types: {extensions}.")
    return content_type


def require_video(path: Path, head: bytes, accepted: frozenset[str] = EVERY_CONTAINER) -> None:
    """Raises FileRefusedError for a file that by its first bytes is no video, or in no container that is accepted.

    head: the first SIGNATURE_BYTES of the file.
    """
    kind = next((kind for kind, signature in OTHER_SIGNATURES if _has(head, signature)), None)
    if kind is not None:
        raise FileRefusedError(path, f"a {kind} file, not a video")
    found = {container for known in VIDEO_SIGNATURES if _has(head, known.signature) for container in known.containers}
    if not found:
        raise FileRefusedError(path, "not a video: its content is something else")
    if accepted.isdisjoint(found):
        raise FileRefusedError(
            path, f"The content of the file is {_labels_of(found)}. Accepted here: {_labels_of(accepted)}."
        )


def _labels_of(containers: AbstractSet[str]) -> str:
    """The containers' types for people: "MP4, MOV or AVI"."""
    *labels, last = [known.label for known in VIDEO_TYPES.values() if known.container in containers]
    return f"{', '.join(labels)} or {last}" if labels else last


def _has(head: bytes, signature: Signature) -> bool:
    # A loop: a generator for each of the signatures costs more than the comparisons.
    for offset, found in signature:  # noqa: SIM110
        if not head.startswith(found, offset):
            return False
    return True
