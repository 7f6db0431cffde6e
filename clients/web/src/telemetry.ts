/**
 * Tells the platform's operators how uploads go: small events, batched, and never in the way of an upload.
 *
 * The same events as the desktop client's. An event names the video, sizes, times and error codes; no file names,
 * addresses or tokens.
 */

import { version } from "../package.json";
import type { Video } from "./api";
import { PartRetried, PartsDiffered, type UploadState, type VideoUpload } from "./video_upload";

export interface TelemetryEvent {
  /** milliseconds since 1970 */
  atMs: number;
  /** one JSON object, as PutLogEvents takes it */
  message: string;
}

/** Where events go. */
export interface EventSink {
  /** At least one, oldest first. Rejects when they did not arrive. */
  write(events: TelemetryEvent[]): Promise<void>;
}

const INTERVAL_MS = 10_000;
/** Older ones are dropped. */
const MOST_WAITING = 1000;
const MOST_PART_NUMBERS = 100;
/** In a row; then it is left alone until the page is loaded again. */
const MOST_FAILURES = 3;
const SETTING = "telemetry";
/** The API's words for states it knows as well. */
const STATES: Partial<Record<UploadState, string>> = {
  paused: "paused",
  completing: "completing",
  completed: "processing",
  failed: "failed",
  cancelled: "aborted",
};
const LAST_STATES = new Set(["processing", "failed", "aborted", "ready", "rejected"]);

export class Telemetry {
  readonly #sink: EventSink;
  readonly #uploads = new Map<string, VideoUpload>();
  #waiting: TelemetryEvent[] = [];
  #failures = 0;
  #isSending = false;
  #timer: number | undefined;
  #isOn = readSetting();

  constructor(sink: EventSink) {
    this.#sink = sink;
    document.addEventListener("visibilitychange", () => {
      // A phone may never come back to a page that it hid.
      if (document.visibilityState === "hidden") this.#sendWithin(0);
    });
  }

  /** The person's wish, remembered by this browser. */
  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(wanted: boolean) {
    this.#isOn = wanted;
    this.#waiting = [];
    writeSetting(wanted);
  }

  /** Tell of this upload from here on. */
  watch(upload: VideoUpload): void {
    let hasBegun = false;
    let toldAt = 0;
    let toldState = "";
    const look = () => {
      if (!upload.open) return;
      if (!hasBegun) {
        hasBegun = true;
        toldAt = performance.now();
        this.#uploads.set(upload.open.videoId, upload);
        this.#add("uploadBegan", upload, { partCount: upload.open.partCount });
      }
      const state = STATES[upload.state] ?? "";
      if (state !== toldState) {
        toldState = state;
        if (state) this.#add("uploadState", upload, { state, ...codeOf(upload) });
      }
    };
    upload.addEventListener("state", look);
    upload.addEventListener("progress", () => {
      look();
      if (!hasBegun || performance.now() - toldAt < INTERVAL_MS) return;
      toldAt = performance.now();
      this.#add("uploadProgress", upload);
    });
    upload.addEventListener(PartRetried.NAME, (event) => {
      if (!(event instanceof PartRetried)) return;
      this.#add("partRetried", upload, { partNumber: event.partNumber, failures: event.failures });
    });
    upload.addEventListener(PartsDiffered.NAME, (event) => {
      if (!(event instanceof PartsDiffered)) return;
      this.#add("partsDiffered", upload, { partNumbers: event.partNumbers.slice(0, MOST_PART_NUMBERS) });
    });
  }

  /** Tell what became of a video, if it was uploaded here. */
  processed({ videoId, state }: Video): void {
    const upload = this.#uploads.get(videoId);
    if (!upload || (state !== "ready" && state !== "rejected")) return;
    this.#uploads.delete(videoId);
    this.#add("uploadState", upload, { state });
  }

  #add(event: string, upload: VideoUpload, more: Record<string, unknown> = {}): void {
    if (!this.#isOn || this.#failures >= MOST_FAILURES) return;
    const body = {
      event,
      client: `web/${version}`,
      system: navigator.platform,
      videoId: upload.videoId,
      correlationId: upload.correlationId,
      sizeBytes: upload.file.size,
      sentBytes: upload.sentBytes,
      ...more,
    };
    this.#waiting.push({ atMs: Date.now(), message: JSON.stringify(body) });
    this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
    if (LAST_STATES.has(String(more.state))) this.#sendWithin(0);
    else if (this.#timer === undefined) this.#sendWithin(INTERVAL_MS);
  }

  #sendWithin(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#send(), milliseconds);
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    if (this.#isSending || this.#waiting.length === 0) return;
    this.#isSending = true;
    try {
      await this.#sink.write(this.#waiting.splice(0));
      this.#failures = 0;
    } catch {
      this.#failures += 1; // nobody who uploads can do anything about it
      if (this.#failures >= MOST_FAILURES) this.#waiting = [];
    } finally {
      this.#isSending = false;
    }
    if (this.#waiting.length > 0 && this.#timer === undefined) this.#sendWithin(INTERVAL_MS);
  }
}

function codeOf({ state, error }: VideoUpload): { code?: string } {
  const isCoded = state === "failed" && error instanceof Error && "code" in error && typeof error.code === "string";
  return isCoded ? { code: error.code as string } : {};
}

function readSetting(): boolean {
  try {
    return localStorage.getItem(SETTING) !== "off";
  } catch {
    return false; // who forbids the page to remember would have to switch it off each time
  }
}

function writeSetting(isOn: boolean): void {
  try {
    if (isOn) localStorage.removeItem(SETTING);
    else localStorage.setItem(SETTING, "off");
  } catch {
    // it holds until the page is left
  }
}
