/** Every error code of the API, of the sign-in and of the page itself, in words that say what to do. */

import { size } from "./format.js";

/** @typedef {Record<string, any>} Details */

/** @type {Record<string, string | ((details: Details) => string)>} */
export const MESSAGES = {
  // the API
  invalid_json: "The page and the server do not understand each other. Reload the page and try again.",
  invalid_request: (details) =>
    `The server did not accept this: ${(details.problems ?? []).map((/** @type {Details} */ each) => `${each.field} ${each.problem}`).join("; ") || "the request is not valid"}.`,
  empty_file: "This file is empty.",
  parts_incomplete: "Some parts did not arrive. Try again: only the missing ones are sent.",
  part_mismatch: "Some parts arrived damaged. Try again: only those are sent.",
  part_too_small: "A part arrived too short. Try again.",
  checksum_mismatch: "The file arrived damaged. Try again: only the damaged parts are sent.",
  size_mismatch: "The file arrived with another size than announced. It may have changed while it was sent.",
  unauthorized: "Your session has ended. Sign in again.",
  forbidden: "Your account may not do this.",
  upload_not_found: "This upload no longer exists. Upload the file again.",
  video_not_found: "This video no longer exists.",
  route_not_found: "The server does not know this function. Reload the page.",
  method_not_allowed: "The server does not allow this. Reload the page.",
  upload_aborted: "This upload was cancelled. Upload the file again.",
  upload_expired: "This upload waited too long and was cleared away. Upload the file again.",
  upload_completing: "This upload is being put together right now. It will appear in a moment.",
  upload_completed: "This upload is already complete.",
  file_too_large: (details) =>
    details.maxBytes ? `This file is too large: at most ${size(details.maxBytes)} are possible.` : "This file is too large.",
  request_too_large: "The request is too large. Reload the page and try again.",
  unsupported_video_type: "This is not a video we can take: MP4, MOV, MKV, WebM or AVI.",
  too_many_open_uploads: "You have too many unfinished uploads. Finish or discard one first.",
  reserved_bytes_exceeded: "Your unfinished uploads use all the space you may reserve. Finish or discard one first.",
  too_many_requests: "Too many requests at once. Wait a moment and try again.",
  internal_error: "Something went wrong on our side. Try again.",
  storage_unavailable: "The storage cannot be reached right now. Try again in a moment.",
  gateway_timeout: "The server took too long. Try again.",

  // why a video was rejected (size_mismatch is above)
  not_a_video: "This file is not a video.",
  container_mismatch: "The content of this file does not fit its name's ending.",
  no_video_stream: "This file holds no pictures, only sound or other data.",
  unreadable_media: "This video is damaged or incomplete and cannot be read.",
  media_limits_exceeded: "This video is larger, longer or faster than we can process.",
  processing_failed: "This video could not be processed. Upload it again.",

  // the page itself
  network_error: "The server cannot be reached. Check your connection and try again.",
  part_failed: "A part could not be sent, even after several tries. Check your connection and try again.",
  file_unreadable: "The file can no longer be read: it was moved, changed or removed. Choose it again.",
  file_differs: "This file has the same name and size as your unfinished upload, but was changed since. Discard the unfinished upload first.",
  sent_elsewhere: "This upload is already running in another tab.",
  state_mismatch: "The sign-in was not started from this tab, so it was refused. Sign in again.",
  sign_in_refused: "The sign-in did not work. Try again.",
  sign_in_unreachable: "The sign-in cannot be reached. Check your connection and try again.",
};

/**
 * @param {unknown} error anything caught; errors with a `code` get its words
 * @returns {string}
 */
export function message(error) {
  const { code = "", details } = /** @type {{code?: string, details?: Details}} */ (error ?? {});
  const text = Object.hasOwn(MESSAGES, code) ? MESSAGES[code] : undefined;
  if (typeof text === "function") return text(details ?? {});
  return text ?? "Something unexpected happened. Try again.";
}
