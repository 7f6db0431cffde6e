/** The first bytes of a file, which tell most other files from videos before anything is sent. */

import { OTHER_SIGNATURES, type Signature, VIDEO_SIGNATURES } from "./contract";

const SIGNATURE_BYTES = Math.max(...VIDEO_SIGNATURES.flat().map(([offset, hex]) => offset + hex.length / 2));

/** What the file is instead of a video ("HEIC"), "" where nobody knows, null where it may be one. */
export async function kindOtherThanVideo(file: Blob): Promise<string | null> {
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, SIGNATURE_BYTES).arrayBuffer());
  } catch {
    return null; // its upload tells that it cannot be read
  }
  const other = OTHER_SIGNATURES.find(({ signature }) => has(head, signature));
  if (other) return other.kind;
  return VIDEO_SIGNATURES.some((signature) => has(head, signature)) ? null : "";
}

function has(head: Uint8Array, signature: Signature): boolean {
  return signature.every(([offset, hex]) => hexOf(head.subarray(offset, offset + hex.length / 2)) === hex);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
