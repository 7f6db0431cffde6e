/**
 * The transfer of one upload: begin, learn what S3 holds, send what is missing, complete.
 *
 * It goes on for as long as the tab lives: what another try may bring through is tried again, with back-off and not
 * before the line is there. Only what no try can mend makes the upload "failed". A pause lets the parts on their way
 * arrive; `stop` cuts them.
 */

import { type ApiClient, ApiError, type PartsToComplete } from "./api";
import type { Sum, Summing } from "./checksum";
import { abortable, type Connection } from "./connection";
import type { PartPut } from "./part_put";
import { PartRefusals } from "./part_refusals";
import { HOLD_WORTH_TELLING_MS, PersistentCalls } from "./persistent_calls";
import { forgetBeginning, forgetFile, rememberBeginning, rememberFile, rememberSending } from "./remembered_files";
import { StoredParts } from "./stored_parts";
import { COMPLETED_MEANWHILE, codeOf, GONE, isTransient, isUnanswered, retryAfterMs } from "./upload_errors";
import { letGo, lock } from "./upload_lock";
import type { VideoUpload } from "./video_upload";
import { backOffMs, pause } from "./waiting";
import type { Width } from "./width";

/** State that all transfers of a page share. */
export interface Tools {
  api: ApiClient;
  connection: Connection;
  width: Width;
  session: Session;
  put: (part: PartPut) => Promise<string>;
  sum: Sum;
}

/** The person's: an upload that is to begin needs it, one that has begun does not. */
export interface Session {
  isOpen: boolean;
}

const MAX_REPAIRS = 3;
/** Sums are ready before the last part has left, unless the line is faster than the disk: then they are left out. */
const CHECKSUM_GRACE_MS = 3000;
const COMPLETING_LOOK_MS = 2000;
/** A part that moved no byte for so long on a line that was dead does not come to life with it. */
const DEAD_AFTER_MS = 3000;
const REPAIRABLE = new Set([
  "parts_incomplete",
  "part_mismatch",
  "part_too_small",
  "size_mismatch",
  "checksum_mismatch",
]);

interface PartOnItsWay {
  number: number;
  cut: AbortController;
  /** by performance.now() */
  movedAt: number;
  leftBytes: number;
}

export class Transfer {
  readonly #upload: VideoUpload;
  readonly #tools: Tools;
  readonly #api: ApiClient;
  readonly #calls: PersistentCalls;
  readonly #stored: StoredParts;
  readonly #refusals: PartRefusals;
  #summing: Summing | null = null;
  #run: Promise<void> = Promise.resolve();
  #cut = new AbortController();
  #beginning: Promise<void> | null = null;
  /** ends the wait for a session */
  #unasked = new AbortController();
  /** parts that are to be sent, and when at the earliest by performance.now() */
  readonly #queue = new Map<number, number>();
  #inFlight = new Map<number, PartOnItsWay>();
  /** parts whose bytes all left and whose answer did not come */
  readonly #doubtful = new Set<number>();
  #fault: unknown = null;
  #wake = () => {};
  /** failures of parts since the last one that got through, and until when all wait because of them */
  #failures = 0;
  #heldUntil = 0;
  #sawDeadLine = false;
  #mustLearn: boolean;
  #isDamaged: boolean;

  constructor(upload: VideoUpload, tools: Tools) {
    this.#upload = upload;
    this.#isDamaged = upload.mustCompareParts;
    this.#tools = tools;
    this.#api = tools.api.forUpload(upload);
    this.#calls = new PersistentCalls(upload, tools.connection);
    this.#stored = new StoredParts(upload, this.#api, this.#calls, tools.sum);
    this.#refusals = new PartRefusals(upload, this.#api, tools.sum);
    this.#mustLearn = upload.unfinished !== undefined;
  }

  /** Send, or go on. `state` and `error` of the upload tell. */
  start(): void {
    this.#summing ??= this.#tools.sum({ file: this.#upload.file });
    this.#cut = new AbortController();
    const { signal } = this.#cut;
    this.#upload.to("sending");
    this.#run = this.#run.then(() => this.#drive(signal));
  }

  /** Begin no more parts; those on their way arrive. The second time, cut them as well. */
  pause(): void {
    const isOnItsWay = this.#upload.state === "sending" && this.#inFlight.size > 0;
    if (!isOnItsWay) this.#cut.abort();
    this.#upload.to(isOnItsWay ? "pausing" : "paused");
    this.#wake();
  }

  /** Cut everything, and have S3 drop the parts; as often as it takes. */
  async cancel(): Promise<void> {
    const upload = this.#upload;
    upload.to("cancelling");
    this.#cut.abort();
    this.#cut = new AbortController();
    const { signal } = this.#cut;
    try {
      await this.#run;
      if (!this.#tools.session.isOpen) this.#unasked.abort();
      await this.#beginning?.catch(() => {}); // nobody could cancel an upload whose answer nobody read
      const token = upload.open?.uploadToken ?? upload.unfinished?.uploadToken;
      if (token) {
        await this.#lock();
        await this.#calls.insist(() => this.#api.abortUpload(token), signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (COMPLETED_MEANWHILE.has(codeOf(error))) return this.start();
      if (!GONE.has(codeOf(error))) return upload.to("failed", error);
    }
    this.stop();
    upload.to("cancelled");
  }

  /** Cut everything and let go of the upload. */
  stop(): void {
    this.#cut.abort();
    this.#summing?.stop();
    letGo(this.#upload);
  }

  /** The session ended, or is open again. */
  tellSession(): void {
    const upload = this.#upload;
    if (upload.open || upload.unfinished || upload.state !== "sending") return;
    upload.holdFor(this.#tools.session.isOpen ? null : { reason: "signed-out", until: 0 });
  }

  /** The line died or is back, or has room. */
  lineChanged(): void {
    if (!this.#tools.connection.isUp) this.#sawDeadLine = true;
    else if (this.#sawDeadLine) {
      this.#sawDeadLine = false;
      // Parts that failed on a dead line need not wait any longer.
      this.#heldUntil = 0;
      for (const number of this.#queue.keys()) this.#queue.set(number, 0);
      const deadSince = performance.now() - DEAD_AFTER_MS;
      for (const part of this.#inFlight.values()) if (part.movedAt < deadSince) part.cut.abort();
    }
    this.#wake();
  }

  async #drive(signal: AbortSignal): Promise<void> {
    const upload = this.#upload;
    const parts = new AbortController();
    const stop = () => parts.abort();
    signal.addEventListener("abort", stop);
    try {
      await this.#begin(signal);
      await this.#lock();
      for (let repairs = 0; ; repairs += 1) {
        try {
          if (this.#mustLearn) await this.#learn(signal);
          if (!(await this.#send(parts.signal))) return upload.to("paused");
          await this.#complete(signal);
          break;
        } catch (error) {
          if (COMPLETED_MEANWHILE.has(codeOf(error))) break;
          if (!REPAIRABLE.has(codeOf(error)) || repairs >= MAX_REPAIRS) throw error;
          this.#mustLearn = true; // only what S3 lacks is sent
          this.#isDamaged = codeOf(error) === "checksum_mismatch";
          upload.to("sending");
        }
      }
      forgetFile(upload.known.videoId);
      letGo(upload);
      upload.to("completed");
    } catch (error) {
      stop();
      if (signal.aborted) return;
      // Where S3 alone dropped it, its record still stands among those that wait to go on.
      if (codeOf(error) === "upload_expired") void this.#api.abortUpload(upload.known.uploadToken).catch(() => {});
      letGo(upload);
      upload.to("failed", error);
    } finally {
      signal.removeEventListener("abort", stop);
      this.#fault = null;
    }
  }

  async #lock(): Promise<void> {
    const videoId = this.#upload.videoId;
    if (!videoId) return;
    this.#upload.unlock ??= await lock(videoId);
    rememberSending(videoId, this.#upload.file);
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const upload = this.#upload;
    if (upload.open) return;
    if (upload.unfinished) return upload.begun(upload.unfinished, [], this.#api);
    this.tellSession();
    await this.#calls.insist(() => {
      // A pause leaves the call alone: a resumed upload needs its answer.
      this.#beginning ??= this.#ask().finally(() => {
        this.#beginning = null;
      });
      return this.#beginning;
    }, signal);
    upload.dispatchEvent(new Event("state")); // it has a videoId now
  }

  async #ask(): Promise<void> {
    const { file, contentType, correlationId } = this.#upload;
    if (this.#upload.open) return;
    rememberBeginning(file, contentType, correlationId);
    this.#unasked = new AbortController();
    const { signal } = this.#unasked;
    try {
      const started = await this.#api.startUpload({ fileName: file.name, contentType, sizeBytes: file.size }, signal);
      this.#upload.begun(started, started.presignedUrls, this.#api);
      rememberFile(started.videoId, file);
      forgetBeginning(file, contentType);
    } catch (error) {
      if (error instanceof ApiError && !isTransient(error)) forgetBeginning(file, contentType);
      throw error;
    }
  }

  async #learn(signal: AbortSignal): Promise<void> {
    this.#upload.holds(await this.#stored.list(signal, { isDamaged: this.#isDamaged }));
    this.#mustLearn = false;
    this.#isDamaged = false;
  }

  /** True if all parts are stored; not so when a pause came first. */
  async #send(signal: AbortSignal): Promise<boolean> {
    this.#queue.clear();
    this.#inFlight = new Map();
    for (const number of this.#upload.missing()) this.#queue.set(number, 0);
    for (;;) {
      signal.throwIfAborted();
      if (this.#fault) throw this.#fault;
      const isPausing = this.#upload.state === "pausing";
      if (this.#inFlight.size === 0 && (isPausing || this.#queue.size === 0)) return !isPausing;
      // One look at the clock: what is not due by it has a timer.
      const now = performance.now();
      if (!isPausing) this.#beginParts(now, signal);
      this.#tellHold();
      await this.#change(now, signal);
    }
  }

  #beginParts(now: number, signal: AbortSignal): void {
    const { connection, width } = this.#tools;
    if (!connection.isReady || this.#heldUntil > now) return;
    const inFlight = this.#inFlight;
    for (const [number, notBefore] of this.#queue) {
      if (!width.isOpen) return;
      if (notBefore > now) continue;
      this.#queue.delete(number);
      const part = { number, cut: new AbortController(), movedAt: performance.now(), leftBytes: 0 };
      const stop = () => part.cut.abort();
      signal.addEventListener("abort", stop);
      inFlight.set(number, part);
      width.began();
      void this.#sendPart(part, signal)
        .catch((error: unknown) => {
          if (!signal.aborted) this.#fault ??= error;
        })
        .finally(() => {
          signal.removeEventListener("abort", stop);
          inFlight.delete(number);
          width.ended();
        });
    }
  }

  async #sendPart(part: PartOnItsWay, signal: AbortSignal): Promise<void> {
    const { connection, put, width } = this.#tools;
    const { number } = part;
    const upload = this.#upload;
    const startedAt = performance.now();
    try {
      if (this.#doubtful.has(number) && (await this.#hasArrived(number))) return;
      const { url, headers } = await this.#refusals.signed(number);
      signal.throwIfAborted();
      const etag = await put({
        url,
        headers,
        body: upload.partBody(number),
        signal: part.cut.signal,
        moved: (bytes) => {
          part.leftBytes = bytes;
          part.movedAt = performance.now();
          if (!part.cut.signal.aborted) upload.partMoved(number, bytes);
        },
        stalled: () => connection.suspect(),
      });
      upload.partStored(number, etag);
      this.#failures = 0;
      this.#heldUntil = 0;
      this.#refusals.forget(number);
      width.stored(upload.partSize(number), performance.now() - startedAt);
    } catch (error) {
      upload.partStopped(number);
      if (part.leftBytes === upload.partSize(number)) this.#doubtful.add(number);
      if (!signal.aborted) await this.#sendLater(number, error, signal);
    }
  }

  /** Throws what no other try can mend. */
  async #sendLater(number: number, error: unknown, signal: AbortSignal): Promise<void> {
    if (isUnanswered(error)) this.#tools.connection.suspect();
    if (isTransient(error)) this.#tools.width.failed();
    const delayMs = await this.#refusals.delayMs(number, error);
    if (signal.aborted) return;
    this.#queue.set(number, performance.now() + delayMs);
    if (!isTransient(error)) return;
    // The cause that stops one part will stop the next one.
    this.#heldUntil = performance.now() + Math.max(retryAfterMs(error), backOffMs(this.#failures));
    this.#failures += 1;
  }

  async #hasArrived(number: number): Promise<boolean> {
    const part = await this.#stored.find(number);
    this.#doubtful.delete(number);
    if (part) this.#upload.partStored(number, part.etag);
    return part !== undefined;
  }

  #tellHold(): void {
    const { connection } = this.#tools;
    const isOffline = !connection.isUp;
    const until = isOffline ? connection.nextTryAt : Math.max(this.#heldUntil, Math.min(...this.#queue.values()));
    const isIdle = this.#inFlight.size === 0 && this.#queue.size > 0;
    const isWorthTelling = isIdle && until > performance.now() + HOLD_WORTH_TELLING_MS;
    this.#upload.holdFor(isOffline || isWorthTelling ? { reason: isOffline ? "offline" : "busy", until } : null);
  }

  /** Until a part is over, the line changes, or a part may be tried again. */
  async #change(now: number, signal: AbortSignal): Promise<void> {
    const next = Math.min(...[this.#heldUntil, ...this.#queue.values()].filter((at) => at > now));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (Number.isFinite(next)) timer = setTimeout(resolve, next - now);
    });
    await abortable(changed, signal).finally(() => clearTimeout(timer));
  }

  async #complete(signal: AbortSignal): Promise<void> {
    const upload = this.#upload;
    upload.to("completing");
    if (this.#stored.isTogether) return;
    let parts = upload.etags();
    if (parts.some(({ etag }) => etag === "")) {
      parts = (await this.#stored.list(signal)).map(({ partNumber, etag }) => ({ partNumber, etag }));
    }
    const body: PartsToComplete = { parts };
    const checksums = await this.#summing?.within(CHECKSUM_GRACE_MS);
    if (checksums) body.checksumCRC64NVME = checksums.whole;
    for (;;) {
      try {
        const answer = await this.#calls.insist(() => this.#api.completeUpload(upload.known.uploadToken, body), signal);
        if (answer.status === "completed") return;
        await pause(Math.max(1, answer.retryAfterSeconds) * 1000, signal);
      } catch (error) {
        if (codeOf(error) === "upload_completed") return;
        if (codeOf(error) !== "upload_completing") throw error;
        await pause(COMPLETING_LOOK_MS, signal);
      }
    }
  }
}
