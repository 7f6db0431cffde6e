/** The uploads of this tab, one file after another. */

import type { ApiClient, UnfinishedUpload, Video } from "video-uploader/api";
import type { Probe } from "video-uploader/connection";
import { message } from "video-uploader/messages";
import { forgetFile, wasChanged } from "video-uploader/remembered_files";
import { UploadEngine } from "video-uploader/upload_engine";
import { codeOf, GONE, UploadError } from "video-uploader/upload_errors";
import { contentType } from "video-uploader/video_types";
import { type UploadState, VideoUpload } from "video-uploader/video_upload";
import { byId, confirmed, showBanner } from "./page";
import { forgetShared } from "./shared_videos";
import type { Telemetry } from "./telemetry";
import { UnfinishedUploads } from "./unfinished_uploads";
import { isElsewhere, isRemovable, UploadRow } from "./upload_row";

/** States in which leaving the page would end something. */
const BUSY = new Set<UploadState>(["waiting", "sending", "pausing", "completing", "cancelling"]);
/** States in which an upload has the line. */
const ON_THE_LINE = new Set<UploadState>(["sending", "pausing", "completing"]);

const SHOWN_REFUSED = 4;

export class Uploads {
  readonly #engine: UploadEngine;
  readonly #onCompleted: (videoId: string) => void;
  readonly #telemetry: Telemetry | null;
  #uploads: VideoUpload[] = [];
  readonly #unfinished: UnfinishedUploads;
  #mayLeave = false;

  constructor(api: ApiClient, probe: Probe, onCompleted: (videoId: string) => void, telemetry: Telemetry | null) {
    this.#engine = new UploadEngine(api, probe);
    this.#onCompleted = onCompleted;
    this.#telemetry = telemetry;
    const isMine = (videoId: string) => this.#uploads.some((upload) => upload.videoId === videoId);
    this.#unfinished = new UnfinishedUploads(api, isMine, (file) => void this.add([file]));
    window.addEventListener("beforeunload", (event) => {
      if (this.isBusy && !this.#mayLeave) event.preventDefault();
    });
  }

  get isBusy(): boolean {
    return this.#uploads.some(({ state }) => BUSY.has(state));
  }

  /** Show what waits to go on. */
  showUnfinished(): Promise<void> {
    return this.#unfinished.show();
  }

  /** Whether the page may be left for signing out: the person is asked while uploads run. */
  async mayEnd(): Promise<boolean> {
    this.#mayLeave =
      !this.isBusy ||
      (await confirmed({
        title: "Sign out while videos are uploading?",
        text: "The uploads stop. To continue them later, sign in again and choose the same files.",
        yes: "Sign out",
        no: "Keep uploading",
      }));
    return this.#mayLeave;
  }

  /** What became of a video: its row tells, if it was uploaded here. */
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
    await this.showUnfinished().catch(() => {}); // who cannot list may still begin
    this.#add(chosen);
  }

  #add(files: File[]): void {
    const refused: string[] = [];
    for (const file of files) {
      const problem = this.#take(file, this.#unfinished.of(file));
      if (!problem) continue;
      letGoOfShared(file);
      refused.push(`${file.name}: ${message(new UploadError(problem))}`);
    }
    const more = refused.splice(SHOWN_REFUSED).length;
    if (more) refused.push(`And ${more} more.`);
    if (refused.length) showBanner(refused.join("\n"));
    this.#startNext();
  }

  /** The code of why not, where the file is refused. */
  #take(file: File, unfinished?: UnfinishedUpload): string | null {
    const type = contentType(file.name);
    const problem = !type ? "unsupported_video_type" : file.size === 0 ? "empty_file" : null;
    if (!type || problem) return problem;
    if (unfinished) this.#unfinished.drop(unfinished);
    const upload = new VideoUpload(file, type, unfinished);
    upload.mustCompareParts = unfinished !== undefined && wasChanged(unfinished.videoId, file);
    this.#telemetry?.watch(upload);
    this.#uploads.push(upload);
    this.#draw(upload);
    return null;
  }

  /** Now, or once the line is free. */
  #goOn(upload: VideoUpload): void {
    upload.to("waiting");
    this.#startNext();
  }

  #startNext(): void {
    // One at a time: a finished first video is worth more than two halves.
    if (this.#uploads.some(({ state }) => ON_THE_LINE.has(state))) return;
    const next = this.#uploads.find(({ state }) => state === "waiting");
    if (next) this.#engine.run(next);
  }

  #draw(upload: VideoUpload): void {
    const row = new UploadRow(upload, {
      toggle: () => {
        if (BUSY.has(upload.state)) this.#engine.pause(upload);
        else this.#goOn(upload);
      },
      cancel: () => void this.#cancel(upload, row),
    });
    upload.addEventListener("state", () => {
      this.#unfinished.dropMine();
      if (upload.videoId && GONE.has(codeOf(upload.error))) this.#unfinished.forget(upload.videoId);
      if (upload.isOver) letGoOfShared(upload.file);
      if (upload.state === "cancelled") this.#remove(upload, row);
      if (upload.state === "completed" && upload.videoId) this.#onCompleted(upload.videoId);
      this.#startNext();
    });
    byId("uploads").append(row.element);
  }

  async #cancel(upload: VideoUpload, row: UploadRow): Promise<void> {
    if (isRemovable(upload)) {
      this.#remove(upload, row);
      if (isElsewhere(upload)) this.#unfinished.showAgain();
      return;
    }
    const sure = await confirmed({
      title: `Cancel ${upload.file.name}?`,
      text: "The parts that were sent are deleted.",
      yes: "Cancel the upload",
      no: "Keep uploading",
    });
    if (!sure || upload.isOver || upload.state === "completing") return;
    await this.#engine.cancel(upload);
    if (upload.videoId && upload.isOver) forgetFile(upload.videoId);
  }

  #remove(upload: VideoUpload, row: UploadRow): void {
    this.#engine.remove(upload);
    letGoOfShared(upload.file);
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    const hadFocus = row.element.contains(document.activeElement);
    row.element.remove();
    if (hadFocus) byId("files").focus();
  }
}

/** Another app's video is not offered again once it is up, refused, or removed by the person. */
function letGoOfShared(file: File): void {
  forgetShared(file).catch(() => {}); // a later visit offers it once more
}
