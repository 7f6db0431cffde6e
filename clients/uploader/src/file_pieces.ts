/** A file's bytes, one piece after another. */

const PIECE_BYTES = 1024 * 1024;

/** Yields pieces of any size. One is good until the next is asked for: where the browser can, all share one buffer. */
export async function* piecesOf(file: Blob): AsyncGenerator<Uint8Array, void, void> {
  const stream = file.stream();
  const filling = fillingReader(stream);
  if (!filling) {
    const reader = stream.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
    return;
  }
  let buffer = new ArrayBuffer(PIECE_BYTES);
  for (;;) {
    const { done, value } = await filling.read(new Uint8Array(buffer));
    if (done || !value) return;
    yield value;
    buffer = value.buffer;
  }
}

/** A buffer for each 64 KiB would be garbage of the file's size. null where the browser's streams of files make one. */
function fillingReader(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}
