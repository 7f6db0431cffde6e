/** The uploads of one uploader, one file after another. It knows no element: its observer shows and tells. */

import type { UnfinishedUpload, Video } from "./api";
import { firstBytesProblem } from "./first_bytes";
import { forgetFile, wasChanged } from "./remembered_files";
import type { UnfinishedUploads } from "./unfinished_uploads";
import { canGoOn, isRemovable } from "./upload_ends";
import type { UploadEngine } from "./upload_engine";
import { codeOf, GONE, UploadError } from "./upload_errors";
import { contentType, extensionOf } from "./video_types";
import { type UploadState, VideoUpload } from "./video_upload";

/** Reason to refuse a file before its upload begins. */
export interface Problem {
  code: string;
  details?: Record<string, number | string>;
}

/** Limits that the embedding page sets. */
export interface Limits {
  /** in small letters, with their dot; null: all that the platform takes */
  extensions: readonly string[] | null;
  /** those of the content that the platform accepts; null: all */
  containers: readonly string[] | null;
  /** rows in the list */
  maxFiles: number;
  /** whether an upload waits for `start` */
  isManual: boolean;
}

export interface UploadsObserver {
  added(upload: VideoUpload): void;
  /** its state, error or videoId */
  changed(upload: VideoUpload): void;
  removed(upload: VideoUpload): void;
  refused(problems: ReadonlyMap<File, Problem>): void;
}

/** States in which leaving the page would end something. */
const BUSY = new Set<UploadState>(["waiting", "sending", "pausing", "completing", "cancelling"]);
/** States in which an upload has the line. */
const ON_THE_LINE = new Set<UploadState>(["sending", "pausing", "completing"]);
/** States after which a row has nothing more to tell. */
const FINISHED = new Set<UploadState>(["ready", "rejected"]);

export class Uploads {
  readonly #engine: UploadEngine;
  readonly #unfinished: UnfinishedUploads;
  readonly #observer: UploadsObserver;
  readonly #limits: () => Limits;
  #uploads: VideoUpload[] = [];

  constructor(given: {
    engine: UploadEngine;
    unfinished: (uploads: Uploads) => UnfinishedUploads;
    observer: UploadsObserver;
    limits: () => Limits;
  }) {
    this.#engine = given.engine;
    this.#observer = given.observer;
    this.#limits = given.limits;
    this.#unfinished = given.unfinished(this);
  }

  /** Uploads in the list, in the order of their arrival. */
  get all(): readonly VideoUpload[] {
    return this.#uploads;
  }

  get isBusy(): boolean {
    return this.#uploads.some(({ state }) => BUSY.has(state));
  }

  /** True if leaving the page would stop an upload, or lose the file of one that could go on. */
  get isNeeded(): boolean {
    return this.#uploads.some((upload) => !upload.isOver && !isRemovable(upload));
  }

  /** Uploads that are to begin wait while nobody is signed in. */
  set isSignedIn(isSignedIn: boolean) {
    this.#engine.isSignedIn = isSignedIn;
  }

  /** True if the upload has a row here. */
  has(videoId: string): boolean {
    return this.#uploads.some((upload) => upload.videoId === videoId);
  }

  /** Show the result of a video in its row, if it was uploaded here. */
  processed({ videoId, state, rejection }: Video): void {
    const upload = this.#uploads.find((each) => each.videoId === videoId);
    if (upload?.state !== "completed") return;
    if (state === "ready") upload.to("ready");
    if (state === "rejected") upload.to("rejected", rejection ?? { code: "processing_failed" });
  }

  /** The video is no longer in the library. */
  deleted(videoId: string): void {
    for (const upload of this.#uploads) if (upload.videoId === videoId && upload.isOver) upload.to("cancelled");
  }

  /**
   * Take files: those that wait to go on go on, the others begin.
   *
   * Which of them wait is known from the list alone: a file chosen before it came would begin a second time.
   */
  async add(files: Iterable<File>): Promise<void> {
    const chosen = [...files];
    await this.#unfinished.show().catch(() => {}); // who cannot list may still begin
    await this.#takeAll(chosen, (file) => this.#unfinished.of(file));
  }

  /** Go on with uploads that wait, each with its file. */
  async resume(chosen: ReadonlyMap<File, UnfinishedUpload>): Promise<void> {
    await this.#takeAll(chosen.keys(), (file) => chosen.get(file));
  }

  async #takeAll(files: Iterable<File>, of: (file: File) => UnfinishedUpload | undefined): Promise<void> {
    const problems = new Map<File, Problem>();
    for (const file of files) {
      const unfinished = of(file);
      const isOnOtherDevice = unfinished !== undefined && (await this.#unfinished.isOnOtherDevice(unfinished));
      // An upload that was accepted when it began continues, even if the stage accepts less now.
      const containers = unfinished ? null : this.#limits().containers;
      const problem =
        this.#refusal(file, unfinished) ??
        (await firstBytesProblem(file, containers)) ??
        this.#take(file, unfinished, isOnOtherDevice);
      if (problem) problems.set(file, problem);
    }
    if (problems.size > 0) this.#observer.refused(problems);
    this.#startNext();
  }

  /** Begin those that were added and wait for it. */
  start(): void {
    this.#line(({ state, open }) => state === "paused" && !open);
  }

  /** Pause what is busy; go on, now or once the line is free, with what is not. */
  toggle(upload: VideoUpload): void {
    if (BUSY.has(upload.state)) this.#engine.pause(upload);
    else {
      upload.to("waiting");
      this.#startNext();
    }
  }

  /** Stop, and have the platform drop what it has. */
  async cancel(upload: VideoUpload): Promise<void> {
    if (upload.isOver || upload.state === "completing") return;
    await this.#engine.cancel(upload);
    if (upload.videoId && upload.isOver) forgetFile(upload.videoId);
  }

  /** Pause those that wait or send; what is on its way still arrives. */
  pauseAll(): void {
    const sending = this.#uploads.filter(({ state }) => state === "sending");
    for (const upload of this.#uploads) if (upload.state === "waiting") upload.to("paused");
    for (const upload of sending) this.#engine.pause(upload);
  }

  /** Go on with those that are paused. */
  resumeAll(): void {
    this.#line(({ state }) => state === "paused");
  }

  /** Try those again that failed and may yet succeed. */
  retryAll(): void {
    this.#line((upload) => upload.state === "failed" && canGoOn(upload));
  }

  /** Cancel all that are not over; rows of another tab's uploads just go. */
  async cancelAll(): Promise<void> {
    const all = this.#uploads.filter(({ isOver, state }) => !isOver && state !== "completing");
    // Waiting uploads first: cancelling another one would let the next begin.
    all.sort((one, other) => Number(ON_THE_LINE.has(one.state)) - Number(ON_THE_LINE.has(other.state)));
    for (const upload of all) if (isRemovable(upload)) this.remove(upload);
    await Promise.all(all.filter((upload) => !isRemovable(upload)).map((upload) => this.cancel(upload)));
  }

  /** Remove the rows of which nothing is left to say. */
  clearFinished(): void {
    for (const upload of this.#uploads.filter(({ state }) => FINISHED.has(state))) this.remove(upload);
  }

  /** Let go of an upload that is over, or cannot go on. */
  remove(upload: VideoUpload): void {
    this.#engine.remove(upload);
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    this.#observer.removed(upload);
  }

  /** List the unfinished uploads again. */
  showUnfinishedAgain(): void {
    this.#unfinished.showAgain();
  }

  /** Reason to refuse the file that is known without reading it. */
  #refusal(file: File, unfinished?: UnfinishedUpload): Problem | null {
    const { extensions, maxFiles } = this.#limits();
    const isOffered = !extensions || unfinished || extensions.includes(extensionOf(file.name));
    if (!contentType(file.name) || !isOffered) return { code: "unsupported_video_type" };
    if (file.size === 0) return { code: "empty_file" };
    if (this.#uploads.length >= maxFiles) return { code: "too_many_files", details: { count: maxFiles } };
    return null;
  }

  /** Accept a file, or return the reason to refuse it. */
  #take(file: File, unfinished?: UnfinishedUpload, isOnOtherDevice = false): Problem | null {
    const { isManual } = this.#limits();
    const type = contentType(file.name);
    const refusal = this.#refusal(file, unfinished); // another call may have filled the list meanwhile
    if (!type || refusal) return refusal;
    if (unfinished) this.#unfinished.drop(unfinished);
    const upload = new VideoUpload(file, type, unfinished);
    upload.mustCompareParts = unfinished !== undefined && wasChanged(unfinished.videoId, file);
    if (isManual) upload.state = "paused";
    if (isOnOtherDevice) {
      upload.state = "failed";
      upload.error = new UploadError("sent_on_other_device");
    }
    this.#uploads.push(upload);
    this.#observer.added(upload);
    upload.addEventListener("state", () => this.#changed(upload));
    return null;
  }

  #changed(upload: VideoUpload): void {
    this.#unfinished.dropMine();
    if (upload.videoId && GONE.has(codeOf(upload.error))) this.#unfinished.forget(upload.videoId);
    this.#observer.changed(upload);
    if (upload.state === "cancelled") this.remove(upload);
    this.#startNext();
  }

  /** Have those wait for the line that fit. */
  #line(fits: (upload: VideoUpload) => boolean): void {
    for (const upload of this.#uploads.filter(fits)) upload.to("waiting");
    this.#startNext();
  }

  #startNext(): void {
    // One at a time: a finished first video is worth more than two halves.
    if (this.#uploads.some(({ state }) => ON_THE_LINE.has(state))) return;
    const next = this.#uploads.find(({ state }) => state === "waiting");
    if (next) this.#engine.run(next);
  }
}
