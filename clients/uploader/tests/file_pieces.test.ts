import { expect, test } from "vitest";
import { piecesOf } from "../src/file_pieces";

const BYTES = Uint8Array.from({ length: 2_500_000 }, (_, index) => (index * 7919) >> 3);

/** First position at which its bytes differ from the file's; undefined for none. */
async function firstDifference(file: Blob): Promise<number | undefined> {
  let at = 0;
  for await (const piece of piecesOf(file)) {
    for (const byte of piece) {
      if (byte !== BYTES[at]) return at;
      at += 1;
    }
  }
  return at === BYTES.length ? undefined : at;
}

/** A file's stream: with the type "bytes" it fills the reader's buffer, as in Chromium, else it brings its own. */
function streamOf(type?: "bytes"): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = [BYTES.slice(0, 1_000_001), BYTES.slice(1_000_001)];
  const source = {
    pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | ReadableByteStreamController) {
      const piece = pieces.shift();
      if (piece) return controller.enqueue(piece);
      controller.close();
      if ("byobRequest" in controller) controller.byobRequest?.respond(0);
    },
  };
  return type ? new ReadableStream({ ...source, type }) : new ReadableStream(source);
}

test.each(["bytes", undefined] as const)("a file comes whole and in order by a stream of type %s", async (type) => {
  const file = new Blob([BYTES]);
  file.stream = () => streamOf(type);
  expect(await firstDifference(file)).toBeUndefined();
});

test("an empty file has no piece", async () => {
  expect(await firstDifference(new Blob([]))).toBe(0);
});
