/** Uploads that another device sends, from what the platform's list tells: no two devices' clocks are compared. */

import type { UnfinishedUpload } from "./api";
import { forgetSending, wasSentHere } from "./remembered_files";

/** An upload whose newest part is younger may be under way: on a slow line a part takes that long. */
const ACTIVE_SECONDS = 120;

export class OtherDevices {
  /** bytes that S3 held at the last look, of uploads that no tab of this browser had */
  #before = new Map<string, number>();
  #active = new Set<string>();
  #mayBeActive = false;

  /** Take a fresh list. heldHere: videos that tabs of this browser send. */
  look(uploads: readonly UnfinishedUpload[], heldHere: ReadonlySet<string>): void {
    const elsewhere = uploads.filter(({ videoId }) => !heldHere.has(videoId));
    const recent = elsewhere.filter(({ idleSeconds }) => idleSeconds !== null && idleSeconds < ACTIVE_SECONDS);
    for (const upload of recent) {
      const before = this.#before.get(upload.videoId);
      // Nobody here sent what came in between: from now on it is another device's.
      if (before !== undefined && before !== upload.receivedBytes) forgetSending(upload);
    }
    // An upload of a tab that was closed a moment ago looks active by its age as well.
    this.#active = new Set(recent.filter((upload) => !wasSentHere(upload)).map(({ videoId }) => videoId));
    this.#before = new Map(elsewhere.map(({ videoId, receivedBytes }) => [videoId, receivedBytes ?? 0]));
    this.#mayBeActive = recent.length > 0;
  }

  has(videoId: string): boolean {
    return this.#active.has(videoId);
  }

  /** True if another look may find something else. */
  get mayChange(): boolean {
    return this.#mayBeActive;
  }
}
