/** One part to one presigned URL, with its progress. */

/** A part that moves no byte for so long sits on a dead connection. */
const STALL_SECONDS = 45;

/** No 200 came back; status 0 when no answer came at all. */
export class PutError extends Error {
  constructor(readonly status: number) {
    super(`PUT answered ${status}`);
  }
}

export interface PartPut {
  url: string;
  headers: Record<string, string>;
  body: Blob;
  /** bytes of this part that have left */
  moved: (bytes: number) => void;
  signal: AbortSignal | undefined;
}

/**
 * By XMLHttpRequest: fetch does not tell how much of a body has left.
 *
 * Resolves to the ETag, "" when the storage does not let the page read it. Rejects with PutError, also when aborted.
 */
export function putPart({ url, headers, body, moved, signal }: PartPut): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new PutError(0));
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const abort = () => request.abort();
    let stall = setTimeout(abort, STALL_SECONDS * 1000);
    signal?.addEventListener("abort", abort);
    request.upload.onprogress = (event) => {
      clearTimeout(stall);
      stall = setTimeout(abort, STALL_SECONDS * 1000);
      moved(Math.min(event.loaded, body.size));
    };
    request.onloadend = () => {
      clearTimeout(stall);
      signal?.removeEventListener("abort", abort);
      if (request.status === 200) resolve(etagOf(request));
      else reject(new PutError(request.status));
    };
    request.send(body);
  });
}

function etagOf(request: XMLHttpRequest): string {
  // Asking for a header that CORS does not expose logs an error, so look first.
  return /^etag:/im.test(request.getAllResponseHeaders()) ? (request.getResponseHeader("ETag") ?? "") : "";
}
