/** The API of docs/api.md, typed. */

import { backOffMs, pause } from "./waiting";

export interface PresignedUrl {
  partNumber: number;
  url: string;
  sizeBytes: number;
  headers?: Record<string, string>;
}

/** What an upload needs to go on; `uploadToken` opens this upload alone and outlives the session. */
export interface OpenUpload {
  videoId: string;
  uploadId: string;
  fileKey: string;
  partSizeBytes: number;
  partCount: number;
  uploadToken: string;
}

export interface StartedUpload extends OpenUpload {
  /** the first page */
  presignedUrls: PresignedUrl[];
}

export interface UnfinishedUpload extends OpenUpload {
  fileName: string;
  sizeBytes: number;
  startedAt: string;
  expiresAt: string;
  correlationId?: string | null;
}

export interface StoredPart {
  partNumber: number;
  sizeBytes: number;
  etag: string;
  checksumCRC64NVME?: string;
}

export interface StoredParts {
  state: string;
  parts: StoredPart[];
}

export interface Video {
  videoId: string;
  fileName: string;
  sizeBytes: number;
  state: "uploading" | "completing" | "processing" | "ready" | "rejected" | "aborted" | "expired";
  createdAt: string;
  media: { durationSeconds: number; video: { width: number; height: number } } | null;
  rejection: { code: string; message: string } | null;
  posterUrl: string | null;
  playbackUrl: string | null;
}

export interface Completion {
  status: "completed" | "completing";
  retryAfterSeconds: number;
}

export interface CompletedParts {
  parts: { partNumber: number; etag: string }[];
  checksumCRC64NVME?: string;
}

/** `event` and the fields that docs/api.md gives it. */
export interface ProgressEvent {
  event: string;
  /** milliseconds since 1970 */
  at: number;
  videoId: string;
  correlationId: string;
  sizeBytes: number;
  sentBytes: number;
  [more: string]: unknown;
}

export interface ProgressBatch {
  client: string;
  system?: string;
  /** at most 25 */
  events: ProgressEvent[];
}

export type Details = Record<string, unknown>;

interface Refusal {
  error?: { code?: string; message?: string; details?: Details };
}

interface Send {
  body?: object;
  signal?: AbortSignal | undefined;
  tries?: number;
  /** whether the call outlives the page */
  keepalive?: boolean;
}

const TRIES = 5;
const PROGRESS_TIMEOUT_MS = 10_000;
/** The gateway itself gives up after 29 s. */
const ANSWER_LIMIT_MS = 35_000;
/** A lost answer counts as 500: every call may be made twice, init by the upload's correlation id. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
/** Refused with 429 as well, but no wait ends them. */
const CAPS: ReadonlySet<string> = new Set(["too_many_open_uploads", "reserved_bytes_exceeded"]);

/** What the API refused; `code` is one of docs/api.md, or "network_error" with status 0. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Details;
  readonly retryAfterMs: number;

  constructor(given: { status: number; code: string; message?: string; details?: Details; retryAfterMs?: number }) {
    super(given.message ?? given.code);
    this.status = given.status;
    this.code = given.code;
    this.details = given.details ?? {};
    this.retryAfterMs = given.retryAfterMs ?? 0;
  }
}

export class ApiClient {
  readonly #baseUrl: string;
  readonly #accessToken: (options?: { renew?: boolean }) => Promise<string>;
  readonly #correlationId: string;

  /** baseUrl: without a slash at its end. correlationId: "" for calls that belong to no upload. */
  constructor(baseUrl: string, accessToken: (options?: { renew?: boolean }) => Promise<string>, correlationId = "") {
    this.#baseUrl = baseUrl;
    this.#accessToken = accessToken;
    this.#correlationId = correlationId;
  }

  /** The same API for the calls of one upload: the operators' logs name them by this id. */
  forUpload({ correlationId }: { correlationId: string }): ApiClient {
    return new ApiClient(this.#baseUrl, this.#accessToken, correlationId);
  }

  startUpload(file: { fileName: string; contentType: string; sizeBytes: number }): Promise<StartedUpload> {
    return this.#asUser("POST", "/multipart/init", { body: file });
  }

  /** partNumbers: at most 500. */
  signParts(uploadToken: string, partNumbers: number[]): Promise<{ presignedUrls: PresignedUrl[] }> {
    const parts = partNumbers.map((partNumber) => ({ partNumber }));
    return this.#send("POST", "/multipart/parts", uploadToken, { body: { parts } });
  }

  storedParts(uploadToken: string, signal?: AbortSignal): Promise<StoredParts> {
    return this.#send("GET", "/multipart/parts", uploadToken, { signal });
  }

  completeUpload(uploadToken: string, body: CompletedParts, signal?: AbortSignal): Promise<Completion> {
    return this.#send("POST", "/multipart/complete", uploadToken, { body, signal });
  }

  abortUpload(uploadToken: string): Promise<unknown> {
    return this.#send("POST", "/multipart/abort", uploadToken, { body: {} });
  }

  unfinishedUploads(): Promise<{ uploads: UnfinishedUpload[] }> {
    return this.#asUser("GET", "/uploads");
  }

  videos(cursor: string | null): Promise<{ videos: Video[]; nextCursor: string | null }> {
    return this.#asUser("GET", `/videos?limit=24${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  }

  video(videoId: string): Promise<Video> {
    return this.#asUser("GET", `/videos/${encodeURIComponent(videoId)}`);
  }

  deleteVideo(videoId: string): Promise<unknown> {
    return this.#asUser("DELETE", `/videos/${encodeURIComponent(videoId)}`);
  }

  /** One try: whoever tells has more to tell later. isLeaving: the call outlives the page. */
  tellProgress(batch: ProgressBatch, { isLeaving }: { isLeaving: boolean }): Promise<unknown> {
    const signal = AbortSignal.timeout(PROGRESS_TIMEOUT_MS);
    return this.#asUser("POST", "/progress", { body: batch, tries: 1, keepalive: isLeaving, signal });
  }

  async #asUser<Answer>(method: string, path: string, options?: Send): Promise<Answer> {
    try {
      return await this.#send(method, path, await this.#accessToken(), options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // The clocks may differ, or the key changed: one fresh token decides.
      return this.#send(method, path, await this.#accessToken({ renew: true }), options);
    }
  }

  async #send<Answer>(method: string, path: string, bearer: string, options: Send = {}): Promise<Answer> {
    const { signal, tries = TRIES } = options;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt<Answer>(method, path, bearer, options);
      if (!(outcome instanceof ApiError)) return outcome;
      const isWorthIt = RETRIED_STATUSES.has(outcome.status || 500) && !CAPS.has(outcome.code);
      if (attempt + 1 >= tries || !isWorthIt) throw outcome;
      await pause(Math.max(outcome.retryAfterMs, backOffMs(attempt)), signal);
    }
  }

  async #attempt<Answer>(
    method: string,
    path: string,
    bearer: string,
    { body, signal, keepalive = false }: Send,
  ): Promise<Answer | ApiError> {
    const headers: Record<string, string> = { Authorization: `Bearer ${bearer}` };
    if (body) headers["Content-Type"] = "application/json";
    if (this.#correlationId) headers["X-Correlation-Id"] = this.#correlationId;
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, ANSWER_LIMIT_MS);
    signal?.addEventListener("abort", stop);
    const init: RequestInit = { method, headers, cache: "no-store", keepalive, signal: limit.signal };
    if (body) init.body = JSON.stringify(body);
    let response: Response;
    let answer: Refusal;
    try {
      signal?.throwIfAborted();
      response = await fetch(this.#baseUrl + path, init);
      const text = await response.text();
      // What is no JSON, or only its beginning, is no answer of the API: a captive portal says 200 as well.
      answer = response.ok ? JSON.parse(text) : parsed(text);
    } catch {
      signal?.throwIfAborted();
      return new ApiError({ status: 0, code: "network_error" });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
    const retryAfterSeconds = Number(response.headers.get("Retry-After") ?? 0) || 0;
    if (response.ok) return { ...answer, retryAfterSeconds } as Answer;
    const { code = "internal_error", message, details } = answer.error ?? {};
    return new ApiError({ status: response.status, code, message, details, retryAfterMs: retryAfterSeconds * 1000 });
  }
}

/** The body of a refusal; empty where something in front of the API refused. */
function parsed(text: string): Refusal {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
