import { expect, test } from "vitest";
import type { Sum } from "../src/checksum";
import { Duplicates, type KnownVideo } from "../src/duplicates";

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
  expect(await new Duplicates([FILM], sums().sum).among([same, other])).toEqual(new Set([same]));
});

test("a file of a size that the library does not have is not read", async () => {
  const { sum, read } = sums();
  expect(await new Duplicates([FILM], sum).among([film("abcd")])).toEqual(new Set());
  expect(read).toEqual([]);
});

test("a file that cannot be summed in time is uploaded", async () => {
  expect(await new Duplicates([FILM], sums().sum).among([film("xxx")])).toEqual(new Set());
});

test.each(["rejected", "uploading"] as const)("a video that is %s is no reason to ask", async (state) => {
  expect(await new Duplicates([{ ...FILM, state }], sums().sum).among([film("abc")])).toEqual(new Set());
});

test("a video whose checksum is not known is no reason to read a file", async () => {
  const { sum, read } = sums();
  await new Duplicates([{ ...FILM, checksumCRC64NVME: null }], sum).among([film("abc")]);
  expect(read).toEqual([]);
});
