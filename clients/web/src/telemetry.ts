/**
 * Tells the platform's operators how uploads go: small events, batched, and never in the way of an upload.
 *
 * The same events as the desktop client's. An event names the video, sizes, times and error codes; no file names,
 * addresses or tokens. What cannot be delivered waits for a later call, ever more rarely and within a bound; a batch
 * that the platform refuses permanently is dropped. Either is reported once, on the console's debug level.
 */

import { ApiError, type ProgressBatch, type ProgressEvent, type Video } from "video-uploader/api";
import { PROGRESS } from "video-uploader/contract";
import { PartRetried, PartsDiffered, type UploadState, type VideoUpload } from "video-uploader/video_upload";
import { version } from "../package.json";

/** Destination of events. */
export interface ProgressSink {
  /** isLeaving: the call has to outlive the page. Rejects when the events did not arrive. */
  tellProgress(batch: ProgressBatch, options: { isLeaving: boolean }): Promise<unknown>;
}

/** Between two calls, at least. */
const INTERVAL_MS = PROGRESS.toldEverySeconds * 1000;
const LONGEST_PAUSE_MS = 600_000;
/** Older ones are dropped. */
const MOST_WAITING = 1000;
/** Statuses among the 4xx after which another call may succeed. */
const WORTH_REPEATING: ReadonlySet<number> = new Set([401, 408, 429]);
const CODE = /^[\w.-]{1,64}$/;
const SETTING = "telemetry";
/** The API's words for states it knows as well. */
const STATES: Partial<Record<UploadState, ReportedState>> = {
  paused: "paused",
  completing: "completing",
  completed: "processing",
  failed: "failed",
  cancelled: "aborted",
};
type ReportedState = Extract<ProgressEvent, { event: "uploadState" }>["state"];

/** Fields of an event besides its upload and its progress. */
type Said<Event> = Event extends ProgressEvent
  ? Omit<Event, "at" | "videoId" | "correlationId" | "sizeBytes" | "sentBytes">
  : never;

const LAST_STATES: ReadonlySet<string> = new Set(["processing", "failed", "aborted", "ready", "rejected"]);

export class Telemetry {
  readonly #sink: ProgressSink;
  readonly #uploads = new Map<string, VideoUpload>();
  #waiting: ProgressEvent[] = [];
  #isSending = false;
  #timer: number | undefined;
  #calledAt = -Infinity;
  #pauseMs = INTERVAL_MS;
  #failures = 0;
  #hasComplained = false;
  #isOn = readSetting() === "on";

  constructor(sink: ProgressSink) {
    this.#sink = sink;
    document.addEventListener("visibilitychange", () => {
      // A phone may never come back to a page that it hid, and a tab that is closed is hidden first.
      if (document.visibilityState === "hidden") void this.#send({ isLeaving: true });
    });
  }

  /** The person's wish, remembered by this browser. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** True if the person was never asked, and an answer would be remembered. */
  get mustAsk(): boolean {
    return readSetting() === null;
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
    let toldState: ReportedState | undefined;
    const look = () => {
      if (!upload.open) return;
      if (!hasBegun) {
        hasBegun = true;
        toldAt = performance.now();
        this.#uploads.set(upload.open.videoId, upload);
        this.#add(upload, { event: "uploadBegan", partCount: upload.open.partCount });
      }
      const state = STATES[upload.state];
      if (state !== toldState) {
        toldState = state;
        if (state) this.#add(upload, { event: "uploadState", state, ...codeOf(upload) });
      }
    };
    upload.addEventListener("state", look);
    upload.addEventListener("progress", () => {
      look();
      if (!hasBegun || performance.now() - toldAt < INTERVAL_MS) return;
      toldAt = performance.now();
      this.#add(upload, { event: "uploadProgress" });
    });
    upload.addEventListener(PartRetried.NAME, (event) => {
      if (!(event instanceof PartRetried)) return;
      const failures = Math.min(event.failures, PROGRESS.maxFailures);
      this.#add(upload, { event: "partRetried", partNumber: event.partNumber, failures });
    });
    upload.addEventListener(PartsDiffered.NAME, (event) => {
      if (!(event instanceof PartsDiffered)) return;
      const partNumbers = event.partNumbers.slice(0, PROGRESS.maxPartNumbers);
      this.#add(upload, { event: "partsDiffered", partNumbers });
    });
  }

  /** Tell what became of a video, if it was uploaded here. */
  processed({ videoId, state }: Video): void {
    const upload = this.#uploads.get(videoId);
    if (!upload || (state !== "ready" && state !== "rejected")) return;
    this.#uploads.delete(videoId);
    this.#add(upload, { event: "uploadState", state });
  }

  #add(upload: VideoUpload, said: Said<ProgressEvent>): void {
    // Nobody reports events before an upload has its video.
    if (!this.#isOn || !upload.open) return;
    this.#waiting.push({
      ...said,
      at: Date.now(),
      videoId: upload.open.videoId,
      correlationId: upload.correlationId,
      sizeBytes: upload.file.size,
      sentBytes: Math.max(0, Math.round(upload.sentBytes)),
    });
    this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
    if ("state" in said && LAST_STATES.has(said.state)) this.#sendWithin(0);
    else if (this.#timer === undefined) this.#sendWithin(INTERVAL_MS);
  }

  /** Not before the pause after the last call is over. */
  #sendWithin(milliseconds: number): void {
    clearTimeout(this.#timer);
    const waitMs = Math.max(milliseconds, this.#calledAt + this.#pauseMs - performance.now());
    this.#timer = window.setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, waitMs);
  }

  async #send({ isLeaving = false } = {}): Promise<void> {
    if ((this.#isSending && !isLeaving) || this.#waiting.length === 0) return;
    const events = this.#waiting.splice(0, PROGRESS.maxEvents);
    this.#isSending = true;
    this.#calledAt = performance.now();
    try {
      await this.#sink.tellProgress({ client: `web/${version}`, ...system(), events }, { isLeaving });
      this.#failures = 0;
      this.#pauseMs = INTERVAL_MS;
    } catch (error) {
      this.#noteFailure(error, events);
    } finally {
      this.#isSending = false;
    }
    if (this.#waiting.length > 0 && this.#timer === undefined) this.#sendWithin(INTERVAL_MS);
  }

  /** Nobody who uploads can do anything about it. */
  #noteFailure(error: unknown, events: ProgressEvent[]): void {
    const { status, retryAfterMs } = error instanceof ApiError ? error : { status: 0, retryAfterMs: 0 };
    const isRefusedForGood = status >= 400 && status < 500 && !WORTH_REPEATING.has(status);
    if (!isRefusedForGood && this.#isOn) {
      this.#waiting.unshift(...events);
      this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
    }
    this.#failures += 1;
    this.#pauseMs = Math.max(retryAfterMs, Math.min(INTERVAL_MS * 2 ** this.#failures, LONGEST_PAUSE_MS));
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    console.debug("Progress does not arrive:", error);
  }
}

function system(): { system?: string } {
  const name = navigator.platform.replace(/[^ -~]/g, "").slice(0, 64);
  return name ? { system: name } : {};
}

function codeOf({ state, error }: VideoUpload): { code?: string } {
  const isCoded = state === "failed" && error instanceof Error && "code" in error && CODE.test(String(error.code));
  return isCoded ? { code: String(error.code) } : {};
}

/** null: never asked. Where storage is blocked it is off: the question would come back each time. */
function readSetting(): string | null {
  try {
    return localStorage.getItem(SETTING);
  } catch {
    return "off";
  }
}

function writeSetting(isOn: boolean): void {
  try {
    localStorage.setItem(SETTING, isOn ? "on" : "off");
  } catch {
    // it holds until the page is left
  }
}
