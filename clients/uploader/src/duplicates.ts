/** Files whose bytes the library has already. */

import type { Video } from "./api";
import type { Sum } from "./checksum";

export type KnownVideo = Pick<Video, "sizeBytes" | "checksumCRC64NVME" | "state">;

/** A file that takes longer to read is uploaded: a video twice is better than one that never begins. */
const PATIENCE_MS = 30_000;
const THERE = new Set<Video["state"]>(["completing", "processing", "ready"]);

/** Those of `files` that have the size and the checksum of a video that is there. Only such sizes are read. */
export async function duplicatesAmong(
  files: readonly File[],
  known: Iterable<KnownVideo>,
  sum: Sum,
): Promise<ReadonlySet<File>> {
  const checksums = new Map<number, Set<string>>();
  for (const { sizeBytes, checksumCRC64NVME, state } of known) {
    if (!checksumCRC64NVME || !THERE.has(state)) continue;
    const ofSize = checksums.get(sizeBytes) ?? new Set();
    checksums.set(sizeBytes, ofSize.add(checksumCRC64NVME));
  }
  const found = new Set<File>();
  for (const file of files) {
    const ofSize = checksums.get(file.size);
    if (!ofSize) continue;
    const summing = sum({ file });
    const checksum = (await summing.within(PATIENCE_MS))?.whole;
    summing.stop();
    if (checksum && ofSize.has(checksum)) found.add(file);
  }
  return found;
}
