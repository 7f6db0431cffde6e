/**
 * One file on its way to S3: parts in parallel, straight to presigned URLs. Knows no document.
 *
 * S3 verifies the length of each part, which is signed into its URL. A checksum of the whole file is left out here:
 * browsers have no CRC64NVME of their own.
 */

import { ApiError } from "./api.js";
import { PutError, putPart } from "./part_put.js";
import { forgetFile, rememberFile } from "./remembered_files.js";
import { backOffMs, pause } from "./waiting.js";

/** @typedef {import("./api.js").ApiClient} ApiClient */
/** @typedef {import("./api.js").PresignedUrl} PresignedUrl */
/** @typedef {"waiting"|"sending"|"paused"|"completing"|"completed"|"failed"|"cancelling"|"cancelled"} UploadState */
/** @typedef {{videoId: string, uploadToken: string, partSizeBytes: number, partCount: number}} Upload */

const PARALLEL_PARTS = 4;
const TRIES_PER_PART = 8;
const URLS_PER_CALL = 500; // docs/api.md, POST /multipart/parts
const SPEED_WINDOW_SECONDS = 10;
/** A URL that ends while its part is under way is refused; parts on slow lines take a while. */
const URL_MARGIN_SECONDS = 20;
/** Offline, only the line's return is worth a try; this is for browsers that miss it. */
const OFFLINE_MS = 300_000;
const COMPLETION_ROUNDS = 3;
const REPAIRABLE = new Set(["parts_incomplete", "part_mismatch", "part_too_small", "size_mismatch"]);

/** Something that ended this upload on our side; `code` is one of messages.js. */
export class UploadError extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/** Fires "state" and "progress". */
export class PartsUpload extends EventTarget {
  /** @type {UploadState} */
  state = "waiting";
  /** @type {unknown} */
  error = null;
  #api;
  #contentType;
  /** @type {Upload | null} */
  #upload = null;
  /** @type {Map<number, string>} part number → ETag, "" when the storage hid it */
  #etags = new Map();
  /** @type {Map<number, {url: PresignedUrl, until: number}>} until: performance.now() milliseconds */
  #urls = new Map();
  /** @type {Map<number, number>} part number → bytes under way */
  #underWay = new Map();
  /** @type {Promise<void> | null} */
  #signing = null;
  #control = new AbortController();
  /** @type {Promise<void>} */
  #running = Promise.resolve();
  /** @type {{at: number, bytes: number}[]} */
  #samples = [];
  #mustReconcile = false;

  /**
   * @param {ApiClient} api
   * @param {File} file
   * @param {string} contentType
   * @param {Upload} [unfinished] go on with this upload: only what S3 does not hold is sent
   */
  constructor(api, file, contentType, unfinished) {
    super();
    this.#api = api;
    this.file = file;
    this.#contentType = contentType;
    if (unfinished) {
      this.#upload = unfinished;
      this.#mustReconcile = true;
    }
  }

  get videoId() {
    return this.#upload?.videoId ?? null;
  }

  get isOver() {
    return this.state === "completed" || this.state === "cancelled";
  }

  get sentBytes() {
    let bytes = 0;
    for (const number of this.#etags.keys()) bytes += this.#partSize(number);
    for (const under of this.#underWay.values()) bytes += under;
    return bytes;
  }

  /** Over the last seconds; 0 until it is known. */
  get bytesPerSecond() {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    return first && last && last.at - first.at > 0.5 ? Math.max(0, (last.bytes - first.bytes) / (last.at - first.at)) : 0;
  }

  /** Send, or go on after a pause or a failure. Never rejects: `state` and `error` tell. @returns {Promise<void>} */
  run() {
    this.#control = new AbortController();
    this.error = null;
    this.#samples = [];
    this.#running = this.#run(this.#control.signal, this.#running);
    return this.#running;
  }

  /** Stop sending; what S3 holds stays there. */
  pause() {
    if (this.state === "sending" || this.state === "waiting") {
      this.#to("paused");
      this.#control.abort(new DOMException("paused", "AbortError"));
    }
  }

  /** Stop, and have S3 drop the parts. @throws {ApiError} when the API cannot be told; the state is then "failed" */
  async cancel() {
    this.#to("cancelling");
    this.#control.abort(new DOMException("cancelled", "AbortError"));
    await this.#running;
    try {
      if (this.#upload) await this.#api.abortUpload(this.#upload.uploadToken);
    } catch (error) {
      if (!(error instanceof ApiError && ["upload_aborted", "upload_expired", "upload_not_found"].includes(error.code))) {
        this.error = error;
        this.#to("failed");
        throw error;
      }
    }
    this.#to("cancelled");
  }

  /** @param {AbortSignal} signal @param {Promise<void>} previous a paused run may still hold the lock */
  async #run(signal, previous) {
    this.#to("sending");
    await previous;
    try {
      signal.throwIfAborted();
      if (!this.#upload) {
        await this.#start(signal);
        this.#to("sending");
      }
      await withLock(`upload ${this.videoId}`, () => this.#sendAndComplete(signal));
      this.#to("completed");
    } catch (error) {
      this.#underWay.clear();
      this.#progress();
      if (!signal.aborted) {
        this.error = error;
        this.#mustReconcile = true;
        this.#to("failed");
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #start(signal) {
    // Not abortable: an upload whose answer nobody read could not be cancelled.
    const started = await this.#api.startUpload({
      fileName: this.file.name,
      contentType: this.#contentType,
      sizeBytes: this.file.size,
    });
    this.#upload = started;
    rememberFile(started.videoId, this.file);
    this.#keepUrls(started.presignedUrls);
    signal.throwIfAborted();
  }

  /** @param {AbortSignal} signal */
  async #sendAndComplete(signal) {
    for (let round = 1; ; round += 1) {
      if (this.#mustReconcile && (await this.#reconcile(signal))) return;
      await this.#sendMissing(signal);
      this.#to("completing");
      try {
        if ([...this.#etags.values()].includes("") && (await this.#reconcile(signal))) return;
        await this.#complete(signal);
        forgetFile(this.#known.videoId);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || !REPAIRABLE.has(error.code) || round === COMPLETION_ROUNDS) throw error;
        this.#mustReconcile = true;
        this.#to("sending");
      }
    }
  }

  /** Learn what S3 really holds. @param {AbortSignal} signal @returns {Promise<boolean>} whether it is complete already */
  async #reconcile(signal) {
    let stored;
    try {
      stored = await this.#api.storedParts(this.#known.uploadToken, signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === "upload_completed") return true;
      throw error;
    }
    this.#mustReconcile = false;
    if (stored.state === "processing" || stored.state === "ready" || stored.state === "rejected") return true;
    const whole = stored.parts.filter((part) => part.sizeBytes === this.#partSize(part.partNumber));
    this.#etags = new Map(whole.map((part) => [part.partNumber, part.etag]));
    this.#progress();
    return false;
  }

  /** @param {AbortSignal} outer */
  async #sendMissing(outer) {
    const failed = new AbortController();
    const signal = AbortSignal.any([outer, failed.signal]);
    const taken = new Set();
    const next = () => this.#missing().find((number) => !taken.has(number));
    const sendNext = async () => {
      for (let number = next(); number !== undefined; number = next()) {
        taken.add(number);
        await this.#sendPart(number, signal);
        taken.delete(number);
      }
    };
    const workers = Array.from({ length: PARALLEL_PARTS }, () =>
      sendNext().catch((error) => {
        failed.abort(error);
        throw error;
      }),
    );
    await Promise.allSettled(workers);
    // The first failure is the reason; the others only heard of it.
    signal.throwIfAborted();
  }

  /** @param {number} number @param {AbortSignal} signal */
  async #sendPart(number, signal) {
    const from = (number - 1) * this.#known.partSizeBytes;
    const body = this.file.slice(from, from + this.#partSize(number));
    for (let attempt = 0; ; attempt += 1) {
      const { url, headers } = await this.#signedUrl(number, signal);
      try {
        const etag = await putPart(url, body, headers ?? {}, signal, (bytes) => this.#partMoved(number, bytes));
        this.#underWay.delete(number);
        this.#etags.set(number, etag);
        this.#progress();
        return;
      } catch (error) {
        this.#underWay.delete(number);
        signal.throwIfAborted();
        await this.#afterFailedPart(number, error, attempt, body, signal);
      }
    }
  }

  /**
   * @param {number} number
   * @param {unknown} error
   * @param {number} attempt
   * @param {Blob} body
   * @param {AbortSignal} signal
   */
  async #afterFailedPart(number, error, attempt, body, signal) {
    const status = error instanceof PutError ? error.status : 0;
    if (status === 0) await assertReadable(body);
    // S3 no longer knows the upload: the API knows why, and throws it.
    if (status === 404 && (await this.#reconcile(signal))) throw new UploadError("upload_completed", error);
    if (attempt + 1 >= TRIES_PER_PART) throw new UploadError("part_failed", error);
    // 403 is an expired URL, whose siblings expired with it; a lost answer may hide one.
    if (status === 403) this.#urls.clear();
    else this.#urls.delete(number);
    if (status !== 403 || attempt > 0) await pause(navigator.onLine ? backOffMs(attempt) : OFFLINE_MS, signal);
  }

  /** @param {number} number @param {AbortSignal} signal @returns {Promise<PresignedUrl>} */
  async #signedUrl(number, signal) {
    for (;;) {
      const known = this.#urls.get(number);
      if (known && known.until > performance.now()) return known.url;
      this.#signing ??= this.#signFrom(number, signal).finally(() => {
        this.#signing = null;
      });
      await this.#signing;
    }
  }

  /** @param {number} number @param {AbortSignal} signal */
  async #signFrom(number, signal) {
    const wanted = [number, ...this.#missing().filter((each) => each > number)].slice(0, URLS_PER_CALL);
    const { presignedUrls } = await this.#api.signParts(this.#known.uploadToken, wanted, signal);
    this.#keepUrls(presignedUrls);
  }

  /** @param {PresignedUrl[]} urls */
  #keepUrls(urls) {
    for (const url of urls) {
      // Measured from now on this machine's own clock: it need not agree with the server's.
      const seconds = Number(new URL(url.url).searchParams.get("X-Amz-Expires") ?? 0) || 600;
      const usable = Math.max(seconds - URL_MARGIN_SECONDS, seconds / 2);
      this.#urls.set(url.partNumber, { url, until: performance.now() + usable * 1000 });
    }
  }

  /** @param {AbortSignal} signal */
  async #complete(signal) {
    for (;;) {
      const parts = [...this.#etags].sort(([a], [b]) => a - b).map(([partNumber, etag]) => ({ partNumber, etag }));
      try {
        const answer = await this.#api.completeUpload(this.#known.uploadToken, parts, signal);
        if (answer.status === "completed") return;
        await pause(Math.max(1, answer.retryAfterSeconds) * 1000, signal);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "upload_completed") return;
        if (error.code !== "upload_completing") throw error;
        await pause(2000, signal);
      }
    }
  }

  get #known() {
    if (!this.#upload) throw new TypeError("the upload has not started");
    return this.#upload;
  }

  #missing() {
    const numbers = Array.from({ length: this.#known.partCount }, (_, index) => index + 1);
    return numbers.filter((number) => !this.#etags.has(number));
  }

  /** @param {number} number */
  #partSize(number) {
    const { partSizeBytes, partCount } = this.#known;
    return number < partCount ? partSizeBytes : this.file.size - (partCount - 1) * partSizeBytes;
  }

  /** @param {number} number @param {number} bytes */
  #partMoved(number, bytes) {
    this.#underWay.set(number, bytes);
    this.#progress();
  }

  #progress() {
    const at = performance.now() / 1000;
    const last = this.#samples.at(-1);
    if (!last || at - last.at > 0.25) {
      this.#samples.push({ at, bytes: this.sentBytes });
      while (this.#samples.length > 2 && at - this.#samples[0].at > SPEED_WINDOW_SECONDS) this.#samples.shift();
    }
    this.dispatchEvent(new Event("progress"));
  }

  /** @param {UploadState} state */
  #to(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

/** @param {Blob} body @throws {UploadError} when the file is gone: no connection will help then */
async function assertReadable(body) {
  try {
    await body.slice(0, 1).arrayBuffer();
  } catch (error) {
    throw new UploadError("file_unreadable", error);
  }
}

/**
 * Two tabs must not send one upload at once.
 *
 * @param {string} name
 * @param {() => Promise<void>} work
 */
async function withLock(name, work) {
  if (!navigator.locks) return work();
  await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock) throw new UploadError("sent_elsewhere");
    await work();
  });
}
