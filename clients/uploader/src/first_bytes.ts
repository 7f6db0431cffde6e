/** The first bytes of a file, which tell most other files from videos before anything is sent. */

import { OTHER_SIGNATURES, type Signature, VIDEO_SIGNATURES } from "./contract";
import type { Problem } from "./uploads";

const SIGNATURE_BYTES = Math.max(
  ...VIDEO_SIGNATURES.flatMap(({ signature }) => signature.map(([offset, hex]) => offset + hex.length / 2)),
);

/**
 * Reason to refuse a file by its first bytes; null where it may be an accepted video.
 *
 * containers: those that the platform accepts; null for all.
 */
export async function firstBytesProblem(file: Blob, containers: readonly string[] | null): Promise<Problem | null> {
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, SIGNATURE_BYTES).arrayBuffer());
  } catch {
    return null; // its upload tells that it cannot be read
  }
  const other = OTHER_SIGNATURES.find(({ signature }) => has(head, signature));
  if (other) return { code: "other_file_kind", details: { kind: other.kind } };
  const found = VIDEO_SIGNATURES.filter(({ signature }) => has(head, signature)).flatMap((known) => known.containers);
  if (found.length === 0) return { code: "not_a_video" };
  const isAccepted = !containers || found.some((container) => containers.includes(container));
  return isAccepted ? null : { code: "container_not_accepted" };
}

function has(head: Uint8Array, signature: Signature): boolean {
  return signature.every(([offset, hex]) => hexOf(head.subarray(offset, offset + hex.length / 2)) === hex);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
