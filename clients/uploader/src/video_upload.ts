/** One file on its way: its state, what has left, how fast. The engine moves it. */

import type { ApiClient, OpenUpload, PresignedUrl, StoredPart, UnfinishedUpload } from "./api";
import { PartUrls } from "./part_urls";
import { correlationIdFor } from "./remembered_files";

export type UploadState =
  | "waiting"
  | "sending"
  /** what is on its way still arrives */
  | "pausing"
  | "paused"
  | "completing"
  /** S3 has it whole; the platform looks at it */
  | "completed"
  | "ready"
  | "rejected"
  | "failed"
  | "cancelling"
  | "cancelled";

export type Open = OpenUpload & { urls: PartUrls };

/** Reason why nothing is sent at the moment, and the time of the next attempt by performance.now(). */
export interface Hold {
  reason: "offline" | "busy" | "signed-out";
  until: number;
}

const SPEED_WINDOW_SECONDS = 10;
const STALLED_AFTER_MS = 5000;

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

/** Fires "state", "progress", "hold", PartRetried and PartsDiffered. */
export class VideoUpload extends EventTarget {
  state: UploadState = "waiting";
  /** what the operators' logs call it, on whichever device it goes on */
  readonly correlationId: string;
  error: unknown = null;
  /** null until the API began it */
  open: Open | null = null;
  hold: Hold | null = null;
  /** the file may hold other bytes than those its upload began with: what S3 holds is compared by checksum first */
  mustCompareParts = false;
  /** ends this tab's hold on it; null while it has none */
  unlock: (() => void) | null = null;

  /** ETags by part number */
  readonly #storedParts = new Map<number, string>();
  readonly #underWay = new Map<number, number>();
  readonly #failures = new Map<number, number>();
  #samples: { at: number; bytes: number }[] = [];
  #movedAt = 0;

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
    return ["completed", "ready", "rejected", "cancelled"].includes(this.state);
  }

  /** True if bytes are due and none has moved for a while. */
  get isStalled(): boolean {
    const isDue = this.state === "sending" || this.state === "pausing";
    return isDue && performance.now() - this.#movedAt >= STALLED_AFTER_MS;
  }

  get sentBytes(): number {
    let bytes = 0;
    for (const number of this.#storedParts.keys()) bytes += this.partSize(number);
    for (const under of this.#underWay.values()) bytes += under;
    return bytes;
  }

  /** Over the last seconds; 0 until it is known, and while nothing moves. */
  get bytesPerSecond(): number {
    if (this.isStalled) return 0;
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
    this.open = { ...upload, urls: new PartUrls(api, upload.uploadToken, () => this.missing()) };
    this.open.urls.keep(urls);
  }

  partSize(number: number): number {
    const { partSizeBytes, partCount } = this.known;
    return number < partCount ? partSizeBytes : this.file.size - (partCount - 1) * partSizeBytes;
  }

  partBody(number: number): Blob {
    const start = (number - 1) * this.known.partSizeBytes;
    return this.file.slice(start, start + this.partSize(number));
  }

  /** Learn what S3 really holds. */
  holds(parts: StoredPart[]): void {
    this.#storedParts.clear();
    this.#underWay.clear();
    for (const { partNumber, etag } of parts) this.#storedParts.set(partNumber, etag);
    this.#progress();
  }

  partMoved(number: number, bytes: number): void {
    this.#underWay.set(number, bytes);
    this.#movedAt = performance.now();
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

  partStored(number: number, etag: string): void {
    this.#underWay.delete(number);
    this.#storedParts.set(number, etag);
    this.#movedAt = performance.now();
    this.#progress();
  }

  /** Parts that S3 does not hold, in order. */
  missing(): number[] {
    const numbers = Array.from({ length: this.known.partCount }, (_, index) => index + 1);
    return numbers.filter((number) => !this.#storedParts.has(number));
  }

  /** ETag that S3 returned for each part, in order; "" where it is not readable. */
  etags(): { partNumber: number; etag: string }[] {
    const parts = [...this.#storedParts].map(([partNumber, etag]) => ({ partNumber, etag }));
    return parts.sort((one, other) => one.partNumber - other.partNumber);
  }

  holdFor(hold: Hold | null): void {
    if (this.hold?.until === hold?.until && this.hold?.reason === hold?.reason) return;
    this.hold = hold;
    this.dispatchEvent(new Event("hold"));
  }

  to(state: UploadState, error: unknown = null): void {
    this.state = state;
    this.error = error;
    this.hold = null;
    if (state === "sending") {
      this.#samples = [];
      this.#movedAt = performance.now();
    }
    if (state === "failed") this.#underWay.clear();
    this.dispatchEvent(new Event("state"));
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

/** Share of the file that was sent, 0 to 1. */
export function shareOf({ isOver, sentBytes, file }: VideoUpload): number {
  return isOver ? 1 : Math.min(1, sentBytes / file.size);
}
