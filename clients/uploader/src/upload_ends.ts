/** Ends of an upload: whether it can continue, here or elsewhere. */

import { codeOf } from "./upload_errors";
import type { VideoUpload } from "./video_upload";

const FINAL_CODES = new Set([
  "upload_aborted",
  "upload_expired",
  "upload_not_found",
  "file_unreadable",
  "file_too_large",
  "forbidden",
  "unsupported_video_type",
  "invalid_request",
  "empty_file",
]);
const ELSEWHERE_CODES = new Set(["sent_elsewhere", "sent_on_other_device"]);

/** True if removing its row ends nothing. */
export function isRemovable(upload: VideoUpload): boolean {
  return upload.isOver || (upload.state === "failed" && (!canGoOn(upload) || isElsewhere(upload)));
}

/** True if another tab or device sends it. */
export function isElsewhere({ state, error }: VideoUpload): boolean {
  return state === "failed" && ELSEWHERE_CODES.has(codeOf(error));
}

/** True if another try can help. */
export function canGoOn({ error }: VideoUpload): boolean {
  return !FINAL_CODES.has(codeOf(error));
}
