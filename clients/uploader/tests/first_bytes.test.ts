import { expect, test } from "vitest";
import { OTHER_SIGNATURES, type Signature, VIDEO_SIGNATURES } from "../src/contract";
import { firstBytesProblem } from "../src/first_bytes";

function beginningWith(signature: Signature): Blob {
  const head = new Uint8Array(1024);
  for (const [offset, hex] of signature)
    for (let at = 0; at < hex.length / 2; at++) head[offset + at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return new Blob([head]);
}

test("whatever begins as a video may be one", async () => {
  for (const { signature } of VIDEO_SIGNATURES)
    expect(await firstBytesProblem(beginningWith(signature), null)).toBeNull();
});

test("a video that can be in none of the accepted containers is refused, whatever its name", async () => {
  for (const { containers, signature } of VIDEO_SIGNATURES) {
    const file = beginningWith(signature);
    for (const container of containers) expect(await firstBytesProblem(file, ["new", container])).toBeNull();
    const others = VIDEO_SIGNATURES.flatMap((known) => known.containers).filter((each) => !containers.includes(each));
    expect(await firstBytesProblem(file, others)).toEqual({ code: "container_not_accepted" });
  }
});

test("a well-known file that is no video has its name", async () => {
  for (const { kind, signature } of OTHER_SIGNATURES)
    expect(await firstBytesProblem(beginningWith(signature), null)).toEqual({
      code: "other_file_kind",
      details: { kind },
    });
});

test("other bytes, and too few of them, are no video", async () => {
  expect(await firstBytesProblem(new Blob(["Dear reader"]), null)).toEqual({ code: "not_a_video" });
  expect(await firstBytesProblem(new Blob(["\0\0\0\x18ft"]), null)).toEqual({ code: "not_a_video" });
});

test("a file that cannot be read is left to its upload", async () => {
  const unreadable = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  expect(await firstBytesProblem(unreadable as unknown as Blob, [])).toBeNull();
});
