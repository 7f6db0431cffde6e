/** The API of docs/api.md, typed. */

import { abortable } from "./connection";
import type {
  Completion,
  DeletedStageVideos,
  DeletedVideos,
  OpenUpload as ListedUpload,
  UploadLink as MadeLink,
  NewUpload,
  NewUploadLink,
  OpenedLink,
  PartsToComplete,
  PresignedPart,
  ProgressBatch,
  SignedParts,
  StageUsage,
  StageVideo,
  StageVideoDeletion,
  StageVideoName,
  StageVideoPage,
  StartedUpload,
  StoredUpload,
  UploadLinks,
  Usage,
  Video,
  VideoChanges,
  VideoDeletion,
  VideoPage,
} from "./contract";
import type { BegunByLink, UploadLink } from "./upload_link";
import { backOffMs, pause } from "./waiting";

export type {
  PartsToComplete,
  ProgressBatch,
  StartedUpload,
  StoredPart,
  StoredUpload,
  Video,
  VideoChanges,
} from "./contract";

export type PresignedUrl = PresignedPart;

/** Limit of one call, as docs/openapi.json has it. */
const MOST_DELETIONS = 100;

/** For administrators. owner, query: "" for all. */
export interface StageSearch {
  owner: string;
  query: string;
  sort: string;
}

/** A file of any type: the API refuses files that are not accepted videos. */
export type NewFile = Omit<NewUpload, "contentType"> & { contentType: string };

/** Data with which an upload continues; `uploadToken` opens this upload alone and outlives the session. */
export type OpenUpload = Pick<
  StartedUpload,
  "videoId" | "uploadId" | "fileKey" | "partSizeBytes" | "partCount" | "uploadToken"
>;

/** An unfinished upload as the API lists it to users who may write. */
export type UnfinishedUpload = ListedUpload & Pick<StartedUpload, "uploadToken">;

/** retryAfterSeconds: from the answer's header. */
export type CompletionAnswer = Completion & { retryAfterSeconds: number };

export type ProgressEvent = ProgressBatch["events"][number];

export type Details = Record<string, unknown>;

interface Refusal {
  error?: { code?: string; message?: string; details?: Details; requestId?: string };
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
const NEVER = new AbortController().signal;
/** Refused with 429 as well, but no wait ends them. */
export const CAPS: ReadonlySet<string> = new Set([
  "too_many_open_uploads",
  "reserved_bytes_exceeded",
  "too_many_stored_videos",
  "stored_bytes_exceeded",
  "stage_full",
  "too_many_links",
  "link_used_up",
  "link_maker_full",
]);

/** A refusal by the API; `code` is an ErrorCode, or "network_error" with status 0. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Details;
  readonly retryAfterMs: number;
  /** under which the operators find the call in their logs; "" where nobody gave it one */
  readonly requestId: string;

  constructor(given: {
    status: number;
    code: string;
    message?: string;
    details?: Details;
    retryAfterMs?: number;
    requestId?: string;
  }) {
    super(given.message ?? given.code);
    this.status = given.status;
    this.code = given.code;
    this.details = given.details ?? {};
    this.retryAfterMs = given.retryAfterMs ?? 0;
    this.requestId = given.requestId ?? "";
  }
}

export class ApiClient {
  readonly #baseUrl: string;
  readonly #accessToken: (options?: { renew?: boolean }) => Promise<string>;
  readonly #correlationId: string;
  readonly #tries: number;
  readonly #link: UploadLink | null;

  /**
   * baseUrl: without a slash at its end. correlationId: "" for calls that belong to no upload. link: begins uploads in
   * place of an account.
   */
  constructor(
    baseUrl: string,
    accessToken: (options?: { renew?: boolean }) => Promise<string>,
    correlationId = "",
    tries = TRIES,
    link: UploadLink | null = null,
  ) {
    this.#baseUrl = baseUrl;
    this.#accessToken = accessToken;
    this.#correlationId = correlationId;
    this.#tries = tries;
    this.#link = link;
  }

  /**
   * The same API for the calls of one upload: the operators' logs name them by this id.
   *
   * Each call is tried once: an upload goes on for as long as the tab lives, and knows of the line.
   */
  forUpload({ correlationId }: { correlationId: string }): ApiClient {
    return new ApiClient(this.#baseUrl, this.#accessToken, correlationId, 1, this.#link);
  }

  /** signal: ends the wait for a session; the call itself is not cut. */
  startUpload(file: NewFile, signal?: AbortSignal): Promise<StartedUpload> {
    if (this.#link) return this.#startByLink(this.#link, file);
    return this.#asUser("POST", "/multipart/init", { body: file }, signal);
  }

  async #startByLink(link: UploadLink, { fileName, contentType, sizeBytes }: NewFile): Promise<StartedUpload> {
    const { token, uploaderName } = link;
    const body = { fileName, contentType, sizeBytes, uploaderName };
    const started = await this.#send<StartedUpload>("POST", "/link/multipart/init", token, { body });
    const { videoId, uploadId, fileKey, partSizeBytes, partCount, uploadToken, expiresAt } = started;
    link.remember({
      ...{ videoId, uploadId, fileKey, partSizeBytes, partCount, uploadToken, expiresAt },
      ...{ ...body, contentType: contentType as BegunByLink["contentType"] },
      correlationId: this.#correlationId,
      startedAt: new Date().toISOString(),
    });
    return started;
  }

  /** partNumbers: at most MAX_SIGNED_PARTS. */
  signParts(uploadToken: string, partNumbers: number[]): Promise<SignedParts> {
    const parts = partNumbers.map((partNumber) => ({ partNumber }));
    return this.#send("POST", "/multipart/parts", uploadToken, { body: { parts } });
  }

  /** A URL that is good for these bytes alone: the storage compares their checksum. */
  signPart(uploadToken: string, partNumber: number, checksumCRC64NVME: string): Promise<SignedParts> {
    const parts = [{ partNumber, checksumCRC64NVME }];
    return this.#send("POST", "/multipart/parts", uploadToken, { body: { parts } });
  }

  storedParts(uploadToken: string, signal?: AbortSignal): Promise<StoredUpload> {
    return this.#send("GET", "/multipart/parts", uploadToken, { signal });
  }

  completeUpload(uploadToken: string, body: PartsToComplete, signal?: AbortSignal): Promise<CompletionAnswer> {
    return this.#send("POST", "/multipart/complete", uploadToken, { body, signal });
  }

  abortUpload(uploadToken: string): Promise<unknown> {
    return this.#send("POST", "/multipart/abort", uploadToken, { body: {} });
  }

  async unfinishedUploads(): Promise<{ uploads: UnfinishedUpload[] }> {
    const link = this.#link;
    if (!link) return this.#asUser("GET", "/uploads");
    const looked = await Promise.all(link.begun.map((begun) => this.#lookAt(link, begun)));
    return { uploads: looked.filter((each) => each !== null) };
  }

  /** Parts that S3 holds of an upload by a link; null for one that is over. */
  async #lookAt(link: UploadLink, begun: BegunByLink): Promise<UnfinishedUpload | null> {
    try {
      const { parts } = await this.storedParts(begun.uploadToken);
      const receivedBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      const names = { linkId: null, reference: null, onBehalfOf: null };
      return { ...begun, ...names, receivedBytes, idleSeconds: null };
    } catch (error) {
      const isOver = error instanceof ApiError && [401, 404, 409, 410].includes(error.status);
      if (!isOver) throw error;
      link.forget(begun.videoId);
      return null;
    }
  }

  /** Purpose of the link. */
  openedLink(): Promise<OpenedLink> {
    return this.#send("GET", "/link", this.#link?.token ?? "");
  }

  makeLink(link: NewUploadLink): Promise<MadeLink> {
    return this.#asUser("POST", "/links", { body: link });
  }

  links(): Promise<UploadLinks> {
    return this.#asUser("GET", "/links");
  }

  revokeLink(linkId: string): Promise<unknown> {
    return this.#asUser("DELETE", `/links/${encodeURIComponent(linkId)}`);
  }

  /** query: words, "" for all; cursor: null for the first page. */
  videos(cursor: string | null, { query = "", sort = "" } = {}): Promise<VideoPage> {
    const given = Object.entries({ query, sort, cursor: cursor ?? "" }).filter(([, value]) => value !== "");
    return this.#asUser("GET", `/videos?${new URLSearchParams([["limit", "24"], ...given])}`);
  }

  video(videoId: string): Promise<Video> {
    return this.#asUser("GET", `/videos/${encodeURIComponent(videoId)}`);
  }

  usage(): Promise<Usage> {
    return this.#asUser("GET", "/usage");
  }

  editVideo(videoId: string, changes: VideoChanges): Promise<Video> {
    return this.#asUser("PATCH", `/videos/${encodeURIComponent(videoId)}`, { body: changes });
  }

  deleteVideo(videoId: string): Promise<unknown> {
    return this.#asUser("DELETE", `/videos/${encodeURIComponent(videoId)}`);
  }

  /** Outcomes in the order given, 100 videos a call: those of the calls before stand when one fails. */
  async *deleteVideos(videoIds: string[]): AsyncGenerator<VideoDeletion> {
    for (const some of deletionsOfACall(videoIds)) {
      const { videos } = await this.#asUser<DeletedVideos>("POST", "/videos/delete", { body: { videoIds: some } });
      yield* videos;
    }
  }

  /** For administrators. cursor: null for the first page. */
  stageVideos(search: StageSearch, cursor: string | null): Promise<StageVideoPage> {
    const query = new URLSearchParams({ limit: "24", ...search, cursor: cursor ?? "" });
    return this.#asUser("GET", `/admin/videos?${query}`);
  }

  /** For administrators. */
  stageVideo(owner: string, videoId: string): Promise<StageVideo> {
    return this.#asUser("GET", stagePath(owner, videoId));
  }

  /** For administrators. */
  deleteStageVideo(owner: string, videoId: string): Promise<unknown> {
    return this.#asUser("DELETE", stagePath(owner, videoId));
  }

  /** For administrators; otherwise as `deleteVideos`. */
  async *deleteStageVideos(names: StageVideoName[]): AsyncGenerator<StageVideoDeletion> {
    for (const videos of deletionsOfACall(names)) {
      const deleted = await this.#asUser<DeletedStageVideos>("POST", "/admin/videos/delete", { body: { videos } });
      yield* deleted.videos;
    }
  }

  /** For administrators. */
  stageUsage(): Promise<StageUsage> {
    return this.#asUser("GET", "/admin/usage");
  }

  /** One try: the caller sends more later. isLeaving: the call outlives the page. */
  tellProgress(batch: ProgressBatch, { isLeaving }: { isLeaving: boolean }): Promise<unknown> {
    const signal = AbortSignal.timeout(PROGRESS_TIMEOUT_MS);
    return this.#asUser("POST", "/progress", { body: batch, tries: 1, keepalive: isLeaving, signal });
  }

  async #asUser<Answer>(method: string, path: string, options?: Send, untilSignedIn = NEVER): Promise<Answer> {
    const token = (how?: { renew: boolean }) => abortable(this.#accessToken(how), untilSignedIn);
    try {
      return await this.#send(method, path, await token(), options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // The clocks may differ, or the key changed: one fresh token decides.
      return this.#send(method, path, await token({ renew: true }), options);
    }
  }

  async #send<Answer>(method: string, path: string, bearer: string, options: Send = {}): Promise<Answer> {
    const { signal, tries = this.#tries } = options;
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
      // A body that is not JSON is no answer of the API: a captive portal says 200 as well.
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
    const { code = "internal_error", message, details, requestId } = answer.error ?? {};
    return new ApiError({
      status: response.status,
      code,
      message,
      details,
      retryAfterMs: retryAfterSeconds * 1000,
      // Where the edge itself refused, no function gave the call an id.
      requestId: requestId || (response.headers.get("x-amz-cf-id") ?? ""),
    });
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

function stagePath(owner: string, videoId: string): string {
  return `/admin/videos/${encodeURIComponent(owner)}/${encodeURIComponent(videoId)}`;
}

function* deletionsOfACall<Name>(names: Name[]): Generator<Name[]> {
  for (let start = 0; start < names.length; start += MOST_DELETIONS) yield names.slice(start, start + MOST_DELETIONS);
}
