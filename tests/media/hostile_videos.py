"""Files that call for other files or hosts, or for more room than they take."""

from pathlib import Path
from random import Random

_HEAD_BYTES = 16
"""The beginning that tells the container stays as it was."""


def damaged(data: bytes, numbers: Random, count: int) -> bytes:
    """The file with `count` of its bytes replaced."""
    changed = bytearray(data)
    for _ in range(count):
        changed[numbers.randrange(_HEAD_BYTES, len(data))] = numbers.randrange(256)
    return bytes(changed)


def mutant(data: bytes, numbers: Random) -> bytes:
    """The file, damaged in one of several ways: bytes, sizes, pieces lost, doubled or swapped, and its end."""
    one, two = sorted(numbers.randrange(_HEAD_BYTES, len(data)) for _ in range(2))
    head, middle, tail = data[:one], data[one:two], data[two:]
    number = numbers.choice((b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff"))  # a size, count or offset
    return numbers.choice(
        (
            head,
            head + tail,
            head + middle + middle + tail,
            head + tail + middle,
            head + bytes(len(middle)) + tail,
            head + number + data[one + len(number) :],
            damaged(data, numbers, 2 ** numbers.randrange(9)),
        )
    )


def playlist_of(url: str) -> bytes:
    """A playlist (RFC 8216) whose one segment is at `url`."""
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n".encode()


def with_external_media(data: bytes, path: Path) -> bytes:
    """The movie, its first track's media data said to lie in another file (an alias in `dref`, as QuickTime has it)."""
    target = str(path).encode()
    alias = bytes(10) + bytes([1]) + b"v".ljust(27, b"\0") + bytes(12) + bytes([1]) + b"f".ljust(63, b"\0") + bytes(16)
    alias += (1).to_bytes(2, "big") + (1).to_bytes(2, "big") + bytes(16)
    alias += (2).to_bytes(2, "big") + len(target).to_bytes(2, "big") + target + bytes(len(target) % 2)
    alias += b"\xff\xff\0\0"
    entry = (12 + len(alias)).to_bytes(4, "big") + b"alis" + bytes(4) + alias
    position = data.index(b"url ", data.index(b"dref")) - 4
    grown = bytearray(data[:position] + entry + data[position + 12 :])
    start = 0
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = data.index(box, start)
        size_bytes = int.from_bytes(data[start - 4 : start], "big") + len(entry) - 12
        grown[start - 4 : start] = size_bytes.to_bytes(4, "big")
    return bytes(grown)


def with_one_picture_again_and_again(data: bytes, times: int) -> bytes:
    """The movie of one track, its index behind its data: all of the data is one picture, shown so many times."""
    mdat = data.index(b"mdat") + 4
    moov = data.index(b"moov", mdat)
    picture_bytes = moov - 4 - mdat
    tables = {
        b"stts": _table(1, times, 1),
        b"stsc": _table(1, 1, 1, 1),
        b"stsz": _table(picture_bytes, times),
        b"stco": _table(times, *[mdat] * times),
        b"stss": _table(1, 1),
        b"ctts": _table(1, times, 0),
    }
    return data[: moov - 4] + _with_tables(data[moov - 4 :], tables)


def _table(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (0, *numbers))


def _with_tables(boxes: bytes, tables: dict[bytes, bytes]) -> bytes:
    """The boxes, the payloads of some replaced, wherever they lie."""
    parents = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
    written, position = b"", 0
    while position < len(boxes):
        size_bytes, kind = int.from_bytes(boxes[position : position + 4], "big"), boxes[position + 4 : position + 8]
        payload = boxes[position + 8 : position + size_bytes]
        payload = tables.get(kind, _with_tables(payload, tables) if kind in parents else payload)
        written += (8 + len(payload)).to_bytes(4, "big") + kind + payload
        position += size_bytes
    return written
