"""Labels of a video: title, description and tags, set by its owner."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from chalicelib.core.texts import tidied


class Labels(NamedTuple):
    """title, description: None where the owner gave none."""

    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()

    @classmethod
    def given(cls, *, title: str | None, description: str | None, tags: Iterable[str]) -> Self:
        """Normalise labels: composed characters, no surrounding blanks, no empty texts, each tag once regardless of
        case."""
        tidy_tags = {tag.casefold(): tag for tag in reversed([tidied(each) for each in tags]) if tag}
        return cls(
            title=tidied(title or "") or None,
            description=tidied(description or "") or None,
            tags=tuple(reversed(tidy_tags.values())),
        )


NO_LABELS = Labels()
