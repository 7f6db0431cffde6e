import { expect, test } from "vitest";
import { piecesOf } from "../src/file_pieces";

const BYTES = Uint8Array.from({ length: 2_500_000 }, (_, index) => (index * 7919) >> 3);

/** Where its bytes begin to differ from the file's; undefined for none. */
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

test("a file that is larger than a piece comes whole and in order", async () => {
  expect(await firstDifference(new Blob([BYTES]))).toBeUndefined();
});

test("a browser whose streams of files take no buffer gives its own", async () => {
  const file = new Blob([BYTES]);
  const pieces = [BYTES.subarray(0, 1_000_001), BYTES.subarray(1_000_001)];
  file.stream = () =>
    new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
    });
  expect(await firstDifference(file)).toBeUndefined();
});

test("an empty file has no piece", async () => {
  expect(await firstDifference(new Blob([]))).toBe(0);
});
