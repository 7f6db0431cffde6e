import { expect, test } from "vitest";
import type { Sum } from "../src/checksum";
import { duplicatesAmong, type KnownVideo } from "../src/duplicates";

const FILM: KnownVideo = { sizeBytes: 3, checksumCRC64NVME: "sum of abc", state: "ready" };

/** Sums by content, and the contents that were read. */
function sums(): { sum: Sum; read: string[] } {
  const read: string[] = [];
  const sum: Sum = ({ file }) => ({
    within: async () => {
      const content = await file.text();
      read.push(content);
      return content === "xxx" ? null : { whole: `sum of ${content}`, parts: [] };
    },
    stop: () => {},
  });
  return { sum, read };
}

function film(content: string): File {
  return new File([content], "film.mp4");
}

test("the same bytes under any name are a duplicate, other bytes of the same size are none", async () => {
  const [same, other] = [film("abc"), film("abd")];
  expect(await duplicatesAmong([same, other], [FILM], sums().sum)).toEqual(new Set([same]));
});

test("a file of a size that the library does not have is not read", async () => {
  const { sum, read } = sums();
  expect(await duplicatesAmong([film("abcd")], [FILM], sum)).toEqual(new Set());
  expect(read).toEqual([]);
});

test("a file that cannot be summed in time is uploaded", async () => {
  expect(await duplicatesAmong([film("xxx")], [FILM], sums().sum)).toEqual(new Set());
});

test.each(["rejected", "uploading"] as const)("a video that is %s is no reason to ask", async (state) => {
  expect(await duplicatesAmong([film("abc")], [{ ...FILM, state }], sums().sum)).toEqual(new Set());
});

test("a video whose checksum is not known is no reason to read a file", async () => {
  const { sum, read } = sums();
  await duplicatesAmong([film("abc")], [{ ...FILM, checksumCRC64NVME: null }], sum);
  expect(read).toEqual([]);
});
