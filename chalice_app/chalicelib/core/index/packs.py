"""Packs: many lines in one object, compressed in blocks, newest first.

A header lists the blocks: the key of the first line, the number of lines, and the positions of its two halves. The
first half is searched; the second holds the facts and is read only for the lines that are shown.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

from chalicelib.core.index.lines import Line
from chalicelib.core.video_id import VideoRef

BLOCK_LINES = 500
_FORMAT = 1
_QUICK = 3
"""zlib's level: a pack is written often, and the first levels gain the most."""


class UnknownPackError(Exception):
    """A pack in a format that this version does not know: it has to be rebuilt."""


@dataclass(frozen=True)
class Entry:
    """The searched half of a line, and the position of the other half."""

    video_id: str
    owner: str
    revision: int
    size_bytes: int
    text: str
    block: "Block"
    number: int

    @property
    def key(self) -> str:
        return f"{self.video_id}/{self.owner}"

    @property
    def is_gone(self) -> bool:
        """True for a video that is no longer listed; no other has 0 bytes, since empty files are refused."""
        return self.size_bytes == 0

    @property
    def facts(self) -> str:
        return self.block.facts[self.number]

    @property
    def line(self) -> Line:
        return Line(VideoRef(self.owner, self.video_id), self.revision, self.size_bytes, self.text, self.facts)


@dataclass(frozen=True)
class Block:
    """Consecutive lines of a pack. first_key: of the first of them. searched_part, facts_part: compressed."""

    first_key: str
    line_count: int
    searched_part: bytes
    facts_part: bytes

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Self:
        lines = list(lines)
        searched = "\n".join(
            f"{line.ref.video_id}\t{line.ref.owner}\t{line.revision}\t{line.size_bytes}\t{line.text}" for line in lines
        )
        facts = "\n".join(line.facts for line in lines)
        return cls(
            lines[0].key,
            len(lines),
            zlib.compress(searched.encode(), _QUICK),
            zlib.compress(facts.encode(), _QUICK),
        )

    @property
    def searched_text(self) -> str:
        return zlib.decompress(self.searched_part).decode()

    @cached_property
    def facts(self) -> list[str]:
        return zlib.decompress(self.facts_part).decode().split("\n")

    def entries(self) -> list[Entry]:
        return self.entries_in(self.searched_text)

    def entries_in(self, searched_text: str) -> list[Entry]:
        entries: list[Entry] = []
        for number, each in enumerate(searched_text.split("\n")):
            video_id, owner, revision, size_bytes, text = each.split("\t", 4)
            entries.append(Entry(video_id, owner, int(revision), int(size_bytes), text, self, number))
        return entries


@dataclass(frozen=True)
class Pack:
    """absorbed: entity tag of the recent pack whose lines the base holds already; that pack counts as empty."""

    blocks: tuple[Block, ...] = ()
    absorbed: str = ""

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Self:
        in_order = sorted(lines, key=lambda line: line.key)
        return cls(tuple(_blocks(in_order)))

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Raises UnknownPackError."""
        head, _, rest = body.partition(b"\n")
        try:
            header = json.loads(head)
            known = header["format"] == _FORMAT
        except (ValueError, KeyError, TypeError) as error:
            raise UnknownPackError from error
        if not known:
            raise UnknownPackError
        blocks: list[Block] = []
        start = 0
        for first_key, line_count, searched_bytes, facts_bytes in header["blocks"]:
            middle, end = start + searched_bytes, start + searched_bytes + facts_bytes
            blocks.append(Block(first_key, line_count, rest[start:middle], rest[middle:end]))
            start = end
        return cls(tuple(blocks), header["absorbed"])

    def written(self) -> bytes:
        blocks = [
            [block.first_key, block.line_count, len(block.searched_part), len(block.facts_part)]
            for block in self.blocks
        ]
        head = json.dumps(
            {"format": _FORMAT, "absorbed": self.absorbed, "blocks": blocks}, separators=(",", ":")
        ).encode()
        parts = [part for block in self.blocks for part in (block.searched_part, block.facts_part)]
        return b"\n".join([head, b"".join(parts)])

    @property
    def line_count(self) -> int:
        return sum(block.line_count for block in self.blocks)

    @property
    def first_keys(self) -> list[str]:
        return [block.first_key for block in self.blocks]

    def lines(self) -> Iterator[Line]:
        for block in self.blocks:
            for entry in block.entries():
                yield entry.line

    def blocks_after(self, key: str) -> tuple[Block, ...]:
        """Blocks that may hold a line after this key."""
        return self.blocks[max(0, bisect_right(self.first_keys, key) - 1) :]

    def changed(self, lines: Mapping[str, Line], *, keeps_gone: bool) -> "Pack":
        """Replace lines by key. keeps_gone: whether lines of videos that are no longer listed stay.

        Blocks in which nothing changes are copied as they are.
        """
        if not self.blocks:
            return Pack.of(line for line in lines.values() if keeps_gone or line.facts)
        edges = [*self.first_keys, ""]
        edges[0] = ""
        in_order = sorted(lines)
        blocks: list[Block] = []
        at = 0
        for block, (_, end) in zip(self.blocks, pairwise(edges), strict=True):
            upto = at
            while upto < len(in_order) and (not end or in_order[upto] < end):
                upto += 1
            here = {key: lines[key] for key in in_order[at:upto]}
            at = upto
            if not here:
                blocks.append(block)
                continue
            merged = {entry.key: entry.line for entry in block.entries()} | here
            left = [merged[key] for key in sorted(merged) if keeps_gone or merged[key].facts]
            blocks.extend(_blocks(left))
        return Pack(tuple(blocks))


def _blocks(lines: list[Line]) -> Iterator[Block]:
    """Cut evenly, and only what is twice too long: otherwise one more line in a full block would get a block of its
    own."""
    count = len(lines)
    pieces = 1 if count < 2 * BLOCK_LINES else count // BLOCK_LINES
    for piece in range(pieces):
        if part := lines[piece * count // pieces : (piece + 1) * count // pieces]:
            yield Block.of(part)
