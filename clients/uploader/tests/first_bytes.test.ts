import { expect, test } from "vitest";
import { OTHER_SIGNATURES, type Signature, VIDEO_SIGNATURES } from "../src/contract";
import { kindOtherThanVideo } from "../src/first_bytes";

function beginningWith(signature: Signature): Blob {
  const head = new Uint8Array(1024);
  for (const [offset, hex] of signature)
    for (let at = 0; at < hex.length / 2; at++) head[offset + at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return new Blob([head]);
}

test("whatever begins as a video may be one", async () => {
  for (const signature of VIDEO_SIGNATURES) expect(await kindOtherThanVideo(beginningWith(signature))).toBeNull();
});

test("a well-known file that is no video has its name", async () => {
  for (const { kind, signature } of OTHER_SIGNATURES)
    expect(await kindOtherThanVideo(beginningWith(signature))).toBe(kind);
});

test("other bytes, and too few of them, are no video", async () => {
  expect(await kindOtherThanVideo(new Blob(["Dear reader"]))).toBe("");
  expect(await kindOtherThanVideo(new Blob(["\0\0\0\x18ft"]))).toBe("");
});

test("a file that cannot be read is left to its upload", async () => {
  const unreadable = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  expect(await kindOtherThanVideo(unreadable as unknown as Blob)).toBeNull();
});
