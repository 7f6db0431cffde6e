/** One file on its way: its state, what has left, how fast. The engine moves it. */

import type { ApiClient, OpenUpload, PresignedUrl, StoredPart, UnfinishedUpload } from "./api";
import type { ChecksumJob } from "./checksum";
import { PartUrls } from "./part_urls";
import { correlationIdFor } from "./remembered_files";
import { UploadError } from "./upload_errors";

export type UploadState =
  | "waiting"
  | "sending"
  | "paused"
  | "completing"
  | "completed"
  | "failed"
  | "cancelling"
  | "cancelled";

export type Open = OpenUpload & { urls: PartUrls };

const SPEED_WINDOW_SECONDS = 10;

/** A part did not get through and is sent again. */
export class PartRetried extends Event {
  static readonly NAME = "part-retried";

  constructor(
    readonly partNumber: number,
    /** of this part so far */
    readonly failures: number,
  ) {
    super(PartRetried.NAME);
  }
}

/** S3 holds other bytes than the file's: these parts are sent again. */
export class PartsDiffered extends Event {
  static readonly NAME = "parts-differed";

  constructor(readonly partNumbers: number[]) {
    super(PartsDiffered.NAME);
  }
}

/** Fires "state", "progress", PartRetried and PartsDiffered. */
export class VideoUpload extends EventTarget {
  state: UploadState = "waiting";
  /** what the operators' logs call it, on whichever device it goes on */
  readonly correlationId: string;
  error: unknown = null;
  /** null until the API began it */
  open: Open | null = null;
  /** settles with the call that begins it */
  beginning: Promise<unknown> = Promise.resolve();
  /** S3 put it together already: nothing is left to send */
  isStored = false;
  /** the stored bytes are not the file's: which parts differ? */
  mustCompareParts = false;
  repairs = 0;
  checksum: ChecksumJob | null = null;
  /** ends this tab's hold on it; null while it has none */
  unlock: (() => void) | null = null;

  readonly #storedParts = new Set<number>();
  readonly #underWay = new Map<number, number>();
  readonly #failures = new Map<number, number>();
  #samples: { at: number; bytes: number }[] = [];
  #waitingForResume: (() => void)[] = [];

  constructor(
    readonly file: File,
    readonly contentType: string,
    /** go on with this upload: only what S3 does not hold is sent */
    readonly unfinished?: UnfinishedUpload,
  ) {
    super();
    this.correlationId = unfinished?.correlationId ?? correlationIdFor(file, contentType);
  }

  get videoId(): string | null {
    return this.open?.videoId ?? this.unfinished?.videoId ?? null;
  }

  get isOver(): boolean {
    return this.state === "completed" || this.state === "cancelled";
  }

  get isGivenUp(): boolean {
    return this.state === "cancelling" || this.state === "cancelled";
  }

  get sentBytes(): number {
    let bytes = 0;
    for (const number of this.#storedParts) bytes += this.partSize(number);
    for (const under of this.#underWay.values()) bytes += under;
    return bytes;
  }

  /** Over the last seconds; 0 until it is known. */
  get bytesPerSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at <= 0.5) return 0;
    return Math.max(0, (last.bytes - first.bytes) / (last.at - first.at));
  }

  get known(): Open {
    if (!this.open) throw new TypeError("the upload has not begun");
    return this.open;
  }

  begun(upload: OpenUpload, urls: PresignedUrl[], api: ApiClient): void {
    this.open = { ...upload, urls: new PartUrls(api, upload.uploadToken, () => this.#missing()) };
    this.open.urls.keep(urls);
  }

  partSize(number: number): number {
    const { partSizeBytes, partCount } = this.known;
    return number < partCount ? partSizeBytes : this.file.size - (partCount - 1) * partSizeBytes;
  }

  /** Learn what S3 really holds. */
  holds(parts: StoredPart[]): void {
    this.#storedParts.clear();
    this.#underWay.clear();
    for (const { partNumber } of parts) this.#storedParts.add(partNumber);
    this.#progress();
  }

  partMoved(number: number, bytes: number): void {
    this.#underWay.set(number, bytes);
    this.#progress();
  }

  partStopped(number: number): void {
    this.#underWay.delete(number);
    this.#progress();
  }

  partFailed(number: number): void {
    const failures = (this.#failures.get(number) ?? 0) + 1;
    this.#failures.set(number, failures);
    this.dispatchEvent(new PartRetried(number, failures));
  }

  partStored(number: number): void {
    this.#underWay.delete(number);
    this.#storedParts.add(number);
    this.#progress();
  }

  to(state: UploadState, error: unknown = null): void {
    this.state = state;
    this.error = error;
    if (state === "sending") this.#samples = [];
    if (state === "failed") this.#underWay.clear();
    if (state !== "paused") for (const resume of this.#waitingForResume.splice(0)) resume();
    this.dispatchEvent(new Event("state"));
  }

  /** Rejects when it was given up meanwhile. */
  async whileNotPaused(): Promise<void> {
    while (this.state === "paused") await new Promise<void>((resolve) => this.#waitingForResume.push(resolve));
    if (this.isGivenUp) throw new UploadError("upload_aborted");
  }

  #missing(): number[] {
    const numbers = Array.from({ length: this.known.partCount }, (_, index) => index + 1);
    return numbers.filter((number) => !this.#storedParts.has(number));
  }

  #progress(): void {
    const at = performance.now() / 1000;
    const last = this.#samples.at(-1);
    if (!last || at - last.at > 0.25) {
      this.#samples.push({ at, bytes: this.sentBytes });
      while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > SPEED_WINDOW_SECONDS)
        this.#samples.shift();
    }
    this.dispatchEvent(new Event("progress"));
  }
}
