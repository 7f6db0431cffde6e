/** The API of docs/api.md, typed. */

import { backOffMs, pause } from "./waiting.js";

/** @typedef {{partNumber: number, url: string, sizeBytes: number, headers?: Record<string, string>}} PresignedUrl */
/**
 * @typedef {object} StartedUpload
 * @property {string} videoId
 * @property {string} uploadId
 * @property {string} fileKey
 * @property {number} partSizeBytes
 * @property {number} partCount
 * @property {PresignedUrl[]} presignedUrls the first page
 * @property {string} uploadToken opens this upload alone, and outlives the session
 */
/**
 * @typedef {object} UnfinishedUpload
 * @property {string} videoId
 * @property {string} fileName
 * @property {number} sizeBytes
 * @property {number} partSizeBytes
 * @property {number} partCount
 * @property {string} uploadToken
 * @property {string} startedAt
 * @property {string} expiresAt
 */
/**
 * @typedef {object} StoredParts
 * @property {string} state
 * @property {{partNumber: number, sizeBytes: number, etag: string}[]} parts
 */
/**
 * @typedef {object} Video
 * @property {string} videoId
 * @property {string} fileName
 * @property {number} sizeBytes
 * @property {"uploading"|"completing"|"processing"|"ready"|"rejected"|"aborted"|"expired"} state
 * @property {string} createdAt
 * @property {{durationSeconds: number, video: {width: number, height: number}} | null} media
 * @property {{code: string, message: string} | null} rejection
 * @property {string | null} posterUrl
 * @property {string | null} playbackUrl
 */
/** @typedef {{status: "completed" | "completing", videoId: string, retryAfterSeconds: number}} Completion */

const TRIES = 5;
const RETRIED_STATUSES = new Set([429, 500, 502, 503, 504]);
/** Refused before anything was made, so asking again makes nothing twice. */
const REFUSED_STATUSES = new Set([429, 503]);

/** Refused with 429 as well, but no wait ends them. */
const CAPS = new Set(["too_many_open_uploads", "reserved_bytes_exceeded"]);

/** What the API refused; `code` is one of docs/api.md, or "network_error". */
export class ApiError extends Error {
  /** @param {{status: number, code: string, message?: string, details?: Record<string, any>, requestId?: string}} given */
  constructor({ status, code, message, details = {}, requestId = "" }) {
    super(message ?? code);
    this.status = status;
    this.code = code;
    this.details = details;
    this.requestId = requestId;
  }
}

export class ApiClient {
  #baseUrl;
  #accessToken;

  /**
   * @param {string} baseUrl without a slash at its end
   * @param {(options?: {renew?: boolean}) => Promise<string>} accessToken
   */
  constructor(baseUrl, accessToken) {
    this.#baseUrl = baseUrl;
    this.#accessToken = accessToken;
  }

  /** @param {{fileName: string, contentType: string, sizeBytes: number}} file @returns {Promise<StartedUpload>} */
  startUpload(file) {
    return this.#asUser("POST", "/multipart/init", { body: file, retried: REFUSED_STATUSES });
  }

  /**
   * @param {string} uploadToken
   * @param {number[]} partNumbers at most 500
   * @param {AbortSignal} signal
   * @returns {Promise<{presignedUrls: PresignedUrl[]}>}
   */
  signParts(uploadToken, partNumbers, signal) {
    const parts = partNumbers.map((partNumber) => ({ partNumber }));
    return this.#send("POST", "/multipart/parts", uploadToken, { body: { parts }, signal });
  }

  /** @param {string} uploadToken @param {AbortSignal} signal @returns {Promise<StoredParts>} */
  storedParts(uploadToken, signal) {
    return this.#send("GET", "/multipart/parts", uploadToken, { signal });
  }

  /**
   * @param {string} uploadToken
   * @param {{partNumber: number, etag: string}[]} parts
   * @param {AbortSignal} signal
   * @returns {Promise<Completion>}
   */
  completeUpload(uploadToken, parts, signal) {
    return this.#send("POST", "/multipart/complete", uploadToken, { body: { parts }, signal });
  }

  /** @param {string} uploadToken */
  abortUpload(uploadToken) {
    return this.#send("POST", "/multipart/abort", uploadToken, { body: {} });
  }

  /** @returns {Promise<{uploads: UnfinishedUpload[]}>} */
  unfinishedUploads() {
    return this.#asUser("GET", "/uploads");
  }

  /** @param {string | null} cursor @returns {Promise<{videos: Video[], nextCursor: string | null}>} */
  videos(cursor) {
    return this.#asUser("GET", `/videos?limit=24${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  }

  /** @param {string} videoId @returns {Promise<Video>} */
  video(videoId) {
    return this.#asUser("GET", `/videos/${encodeURIComponent(videoId)}`);
  }

  /** @param {string} videoId */
  deleteVideo(videoId) {
    return this.#asUser("DELETE", `/videos/${encodeURIComponent(videoId)}`);
  }

  /** @param {string} method @param {string} path @param {RequestOptions} [options] */
  async #asUser(method, path, options) {
    try {
      return await this.#send(method, path, await this.#accessToken(), options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // The clocks may differ, or the key changed: one fresh token decides.
      return this.#send(method, path, await this.#accessToken({ renew: true }), options);
    }
  }

  /**
   * @typedef {{body?: object, signal?: AbortSignal, retried?: Set<number>}} RequestOptions
   * @param {string} method
   * @param {string} path
   * @param {string} bearer
   * @param {RequestOptions} [options] retried: the statuses worth another try; a lost answer counts as 500
   * @returns {Promise<any>}
   */
  async #send(method, path, bearer, { body, signal, retried = RETRIED_STATUSES } = {}) {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt(method, path, bearer, body, signal);
      if (!(outcome instanceof ApiError)) return outcome;
      const isWorthIt = retried.has(outcome.status || 500) && !CAPS.has(outcome.code);
      if (attempt + 1 >= TRIES || !isWorthIt) throw outcome;
      await pause(Math.max(outcome.details.retryAfterMs ?? 0, backOffMs(attempt)), signal);
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {string} bearer
   * @param {object | undefined} body
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<any>} the answer, or an ApiError
   */
  async #attempt(method, path, bearer, body, signal) {
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Bearer ${bearer}` };
    if (body) headers["Content-Type"] = "application/json";
    let response;
    let answer;
    try {
      response = await fetch(this.#baseUrl + path, {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal,
        cache: "no-store",
      });
      answer = await response.json().catch(() => ({}));
    } catch {
      signal?.throwIfAborted();
      return new ApiError({ status: 0, code: "network_error" });
    }
    const retryAfterSeconds = Number(response.headers.get("Retry-After") ?? 0) || 0;
    if (response.ok) return { ...answer, retryAfterSeconds };
    const { code = "internal_error", message, details, requestId } = answer.error ?? {};
    return new ApiError({
      status: response.status,
      code,
      message,
      details: { ...details, retryAfterMs: retryAfterSeconds * 1000 },
      requestId,
    });
  }
}
