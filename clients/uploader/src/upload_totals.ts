/** Figures of all uploads of a list together. */

import { canGoOn, isElsewhere, isRemovable } from "./upload_ends";
import { shareOf, type UploadState, type VideoUpload } from "./video_upload";

export interface UploadTotals {
  count: number;
  /** stored whole, whatever became of them */
  storedCount: number;
  sizeBytes: number;
  sentBytes: number;
  /** 0 while nothing moves */
  bytesPerSecond: number;
  /** null while it cannot be known */
  secondsLeft: number | null;
  canPause: boolean;
  canResume: boolean;
  canRetry: boolean;
  canCancel: boolean;
  canClear: boolean;
}

/** Actions for an upload of this state; none for other states. */
const ACTIONS: Partial<Record<UploadState, "canPause" | "canResume" | "canClear">> = {
  waiting: "canPause",
  sending: "canPause",
  paused: "canResume",
  ready: "canClear",
  rejected: "canClear",
};

export function totalsOf(uploads: Iterable<VideoUpload>): UploadTotals {
  const totals: UploadTotals = {
    count: 0,
    storedCount: 0,
    sizeBytes: 0,
    sentBytes: 0,
    bytesPerSecond: 0,
    secondsLeft: null,
    canPause: false,
    canResume: false,
    canRetry: false,
    canCancel: false,
    canClear: false,
  };
  for (const upload of uploads) {
    const { state, file } = upload;
    totals.count += 1;
    totals.storedCount += Number(upload.isOver);
    totals.sizeBytes += file.size;
    totals.sentBytes += Math.round(shareOf(upload) * file.size);
    if (state === "sending") totals.bytesPerSecond += upload.bytesPerSecond;
    const action = ACTIONS[state];
    if (action) totals[action] = true;
    totals.canRetry ||= state === "failed" && canGoOn(upload) && !isElsewhere(upload);
    totals.canCancel ||= !isRemovable(upload) && state !== "completing" && state !== "cancelling";
  }
  const leftBytes = totals.sizeBytes - totals.sentBytes;
  if (totals.bytesPerSecond > 0) totals.secondsLeft = leftBytes / totals.bytesPerSecond;
  return totals;
}
