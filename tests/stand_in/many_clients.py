"""`many_clients.py URL COUNT`: put a small body over COUNT connections at once; prints how many got a 200."""

import asyncio
import sys
from urllib.parse import urlsplit


async def _put(url: str, opened: asyncio.Barrier) -> bool:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    await opened.wait()
    body = b"x" * 1000
    head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    status = await reader.readline()
    writer.close()
    return status.startswith(b"HTTP/1.1 200 ")


async def _main(url: str, count: int) -> int:
    opened = asyncio.Barrier(count)
    return sum(await asyncio.gather(*(_put(url, opened) for _ in range(count))))


if __name__ == "__main__":
    print(asyncio.run(_main(sys.argv[1], int(sys.argv[2]))))
