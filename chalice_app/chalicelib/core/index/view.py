"""A view of the index at one moment: pages of it, searched and sorted.

Three layers hold lines: changes that are not folded in, the recent pack, and the base. A reader reads them in this
order, in which lines move: a line that has left one layer is in the next, so none is missed.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from chalicelib.core.index.lines import Line
from chalicelib.core.index.packs import Block, Pack
from chalicelib.core.index.queries import Query, Sort, sort_value


@dataclass(frozen=True)
class View:
    """overlay: lines newer than the base, by key, including those of videos that are no longer listed."""

    base: Pack
    overlay: Mapping[str, Line]

    @classmethod
    def of(cls, base: Pack, recent: Pack, told: Mapping[Any, Line]) -> Self:
        """Merge the layers."""
        overlay = {line.key: line for line in recent.lines()}
        for line in told.values():
            known = overlay.get(line.key)
            if known is None or known.revision <= line.revision:
                overlay[line.key] = line
        return cls(base, overlay)

    def page(self, query: Query, limit: int, cursor: str = "") -> tuple[list[Line], str | None]:
        """The lines of one page, and the cursor of the next. Raises InvalidRequestError for a foreign cursor."""
        after = query.position_of(cursor)
        found = self._newest(query, after) if query.sort is Sort.NEWEST else self._sorted(query, after, limit + 1)
        lines: list[Line] = []
        for line in found:
            if len(lines) == limit:
                return lines, query.cursor_after(lines[-1])
            lines.append(line)
        return lines, None

    def _newest(self, query: Query, after: tuple[Any, str] | None) -> Iterator[Line]:
        after_key = after[1] if after else ""
        newer = [self.overlay[key] for key in sorted(self.overlay) if key > after_key]
        laid_over = (line for line in newer if line.facts and _matches(query, line.text))
        # Each key is in one of the two streams: the other leaves it out.
        return heapq.merge(
            laid_over, self._of_base(query, self.base.blocks_after(after_key), after_key), key=lambda line: line.key
        )

    def _of_base(self, query: Query, blocks: tuple[Block, ...], after_key: str) -> Iterator[Line]:
        for block in blocks:
            text = block.searched_text
            if not all(word in text for word in query.words):
                continue
            for entry in block.entries_in(text):
                if entry.key > after_key and entry.key not in self.overlay and _matches(query, entry.text):
                    yield entry.line

    def _sorted(self, query: Query, after: tuple[Any, str] | None, most: int) -> list[Line]:
        turned = query.sort in {Sort.OLDEST, Sort.NAME_DESCENDING, Sort.LARGEST}
        choose = heapq.nlargest if turned else heapq.nsmallest
        candidates = (
            (place, found)
            for place, found in self._places(query)
            if after is None or (place < after if turned else place > after)
        )
        return [_line(found) for _, found in choose(most, candidates, key=lambda each: each[0])]

    def _places(self, query: Query) -> Iterator[tuple[tuple[Any, str], Any]]:
        """Every matching line, with its position in the order."""
        for line in self.overlay.values():
            if line.facts and _matches(query, line.text):
                yield (sort_value(query.sort, line.size_bytes, line.text), line.key), line
        for block in self.base.blocks:
            text = block.searched_text
            if not all(word in text for word in query.words):
                continue
            for number, each in enumerate(text.split("\n")):
                video_id, owner, _, size_bytes, found = each.split("\t", 4)
                key = f"{video_id}/{owner}"
                if _matches(query, found) and key not in self.overlay:
                    yield (sort_value(query.sort, int(size_bytes), found), key), (block, number)


def _line(found: Any) -> Line:
    if isinstance(found, Line):
        return found
    block, number = found
    return block.entries()[number].line


def _matches(query: Query, text: str) -> bool:
    return all(word in text for word in query.words)
