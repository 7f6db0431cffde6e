"""Files that call for other files or hosts."""

from pathlib import Path


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
