/** One part to one presigned URL, with its progress. */

/** A part that moves no byte for so long gives reason to doubt the line, each time again … */
const DOUBT_MS = 5000;
/** … and for so long sits on a dead connection. */
const STALL_MS = 15_000;
/** Once all bytes have left, some may still wait in a modem, and the storage has to write them. */
const ANSWER_LIMIT_MS = 45_000;

/** No 200 came back; status 0 when no answer came at all. */
export class PutError extends Error {
  constructor(
    readonly status: number,
    readonly retryAfterMs = 0,
  ) {
    super(`PUT answered ${status}`);
  }
}

export interface PartPut {
  url: string;
  headers: Record<string, string>;
  body: Blob;
  /** bytes of this part that have left */
  moved: (bytes: number) => void;
  /** called again and again while no byte leaves and no answer comes */
  stalled: () => void;
  signal: AbortSignal | undefined;
}

/**
 * By XMLHttpRequest: fetch does not tell how much of a body has left.
 *
 * Resolves to the ETag, "" when the storage does not let the page read it. Rejects with PutError, also when aborted.
 */
export function putPart({ url, headers, body, moved, stalled, signal }: PartPut): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new PutError(0));
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const abort = () => request.abort();
    let doubt = setInterval(stalled, DOUBT_MS);
    let stall = setTimeout(abort, STALL_MS);
    signal?.addEventListener("abort", abort);
    request.upload.onprogress = (event) => {
      clearInterval(doubt);
      clearTimeout(stall);
      doubt = setInterval(stalled, DOUBT_MS);
      stall = setTimeout(abort, event.loaded < body.size ? STALL_MS : ANSWER_LIMIT_MS);
      moved(Math.min(event.loaded, body.size));
    };
    request.onloadend = () => {
      clearInterval(doubt);
      clearTimeout(stall);
      signal?.removeEventListener("abort", abort);
      if (request.status === 200) resolve(readable(request, "ETag"));
      else reject(new PutError(request.status, 1000 * Number(readable(request, "Retry-After")) || 0));
    };
    request.send(body);
  });
}

/** Asking for a header that CORS does not expose logs an error, so look first. */
function readable(request: XMLHttpRequest, name: string): string {
  const isExposed = new RegExp(`^${name}:`, "im").test(request.getAllResponseHeaders());
  return isExposed ? (request.getResponseHeader(name) ?? "") : "";
}
