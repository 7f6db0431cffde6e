/** One part to one presigned URL, with its progress. */

/** A part that moves no byte for so long sits on a dead connection. */
const STALL_SECONDS = 45;

/** No 200 came back. */
export class PutError extends Error {
  /** @param {number} status 0 when no answer came */
  constructor(status) {
    super(`PUT answered ${status}`);
    this.status = status;
  }
}

/**
 * By XMLHttpRequest: fetch does not tell how much of a body has left.
 *
 * @param {string} url
 * @param {Blob} body
 * @param {Record<string, string>} headers
 * @param {AbortSignal} signal
 * @param {(bytes: number) => void} moved
 * @returns {Promise<string>} the ETag, "" when the storage does not let the page read it
 */
export function putPart(url, body, headers, signal, moved) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    let stall = setTimeout(() => request.abort(), STALL_SECONDS * 1000);
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.onprogress = (event) => {
      clearTimeout(stall);
      stall = setTimeout(() => request.abort(), STALL_SECONDS * 1000);
      moved(Math.min(event.loaded, body.size));
    };
    request.onloadend = () => {
      clearTimeout(stall);
      signal.removeEventListener("abort", abort);
      if (signal.aborted) reject(signal.reason);
      else if (request.status === 200) resolve(etagOf(request));
      else reject(new PutError(request.status));
    };
    request.send(body);
  });
}

/** @param {XMLHttpRequest} request */
function etagOf(request) {
  // Asking for a header that CORS does not expose logs an error, so look first.
  return /^etag:/im.test(request.getAllResponseHeaders()) ? (request.getResponseHeader("ETag") ?? "") : "";
}
