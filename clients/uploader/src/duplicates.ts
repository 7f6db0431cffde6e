/** Files whose bytes the library has already. */

import type { Video } from "./api";
import type { Sum } from "./checksum";

export type KnownVideo = Pick<Video, "sizeBytes" | "checksumCRC64NVME" | "state">;

/** A file that takes longer to read is uploaded: a video twice is better than one that never begins. */
const PATIENCE_MS = 30_000;
const THERE = new Set<Video["state"]>(["completing", "processing", "ready"]);

/** Files whose size is not that of a video that is there, and the others, which only their checksums tell apart. */
export class Duplicates {
  readonly #checksums = new Map<number, Set<string>>();
  readonly #sum: Sum;

  constructor(known: Iterable<KnownVideo>, sum: Sum) {
    this.#sum = sum;
    for (const { sizeBytes, checksumCRC64NVME, state } of known) {
      if (!checksumCRC64NVME || !THERE.has(state)) continue;
      const ofSize = this.#checksums.get(sizeBytes) ?? new Set();
      this.#checksums.set(sizeBytes, ofSize.add(checksumCRC64NVME));
    }
  }

  /** True if the library has a video of its size. */
  mayBe(file: File): boolean {
    return this.#checksums.has(file.size);
  }

  /** The `files` with the checksum of a video in the library. Only files of a matching size are read. */
  async among(files: readonly File[]): Promise<ReadonlySet<File>> {
    const found = new Set<File>();
    for (const file of files) {
      const ofSize = this.#checksums.get(file.size);
      if (!ofSize) continue;
      const summing = this.#sum({ file });
      const checksum = (await summing.within(PATIENCE_MS))?.whole;
      summing.stop();
      if (checksum && ofSize.has(checksum)) found.add(file);
    }
    return found;
  }
}
