/** The uploads of this tab, one file after another, and those that wait to go on. */

import type { ApiClient, UnfinishedUpload } from "./api";
import { date, size } from "./format";
import { message } from "./messages";
import { byId, confirmed, fromTemplate, showBanner, within } from "./page";
import { forgetFile, wasChanged } from "./remembered_files";
import { forgetShared } from "./shared_videos";
import type { Telemetry } from "./telemetry";
import { UploadEngine } from "./upload_engine";
import { UploadError } from "./upload_errors";
import { canGoOn, UploadRow } from "./upload_row";
import { contentType } from "./video_types";
import { VideoUpload } from "./video_upload";

const SHOWN_REFUSED = 4;

export class Uploads {
  readonly #api: ApiClient;
  readonly #engine: UploadEngine;
  readonly #onCompleted: (videoId: string) => void;
  readonly #telemetry: Telemetry | null;
  #uploads: VideoUpload[] = [];
  #unfinished: UnfinishedUpload[] = [];
  /** settles with the list of what waits to go on; null until it is asked for, or when it did not come */
  #listing: Promise<void> | null = null;

  constructor(api: ApiClient, onCompleted: (videoId: string) => void, telemetry: Telemetry | null) {
    this.#api = api;
    this.#engine = new UploadEngine(api);
    this.#onCompleted = onCompleted;
    this.#telemetry = telemetry;
    window.addEventListener("beforeunload", (event) => {
      if (this.isBusy) event.preventDefault();
    });
  }

  get isBusy(): boolean {
    return this.#uploads.some(({ state }) => ["waiting", "sending", "completing", "cancelling"].includes(state));
  }

  /** Show what waits to go on. */
  showUnfinished(): Promise<void> {
    this.#listing ??= this.#list().catch((error: unknown) => {
      this.#listing = null;
      throw error;
    });
    return this.#listing;
  }

  async #list(): Promise<void> {
    const { uploads } = await this.#api.unfinishedUploads();
    this.#unfinished = uploads;
    this.#drawUnfinished();
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
      const unfinished = this.#unfinished.find((each) => each.fileName === file.name && each.sizeBytes === file.size);
      const problem = this.#take(file, unfinished);
      if (problem) refused.push(`${file.name}: ${message(new UploadError(problem))}`);
    }
    const more = refused.splice(SHOWN_REFUSED).length;
    if (more) refused.push(`And ${more} more.`);
    if (refused.length) showBanner(refused.join("\n"));
    this.#startNext();
  }

  /** The code of why not, where the file is refused. */
  #take(file: File, unfinished?: UnfinishedUpload): string | null {
    const type = contentType(file.name);
    const changed = unfinished && wasChanged(unfinished.videoId, file);
    const problem = !type ? "unsupported_video_type" : file.size === 0 ? "empty_file" : changed ? "file_differs" : null;
    if (!type || problem) return problem;
    if (unfinished) this.#dropUnfinished(unfinished);
    const upload = new VideoUpload(file, type, unfinished);
    this.#telemetry?.watch(upload);
    this.#uploads.push(upload);
    this.#draw(upload);
    return null;
  }

  #startNext(): void {
    // One at a time: a finished first video is worth more than two halves.
    if (this.#uploads.some(({ state }) => state === "sending" || state === "completing")) return;
    const next = this.#uploads.find(({ state }) => state === "waiting");
    if (next) this.#engine.run(next);
  }

  #draw(upload: VideoUpload): void {
    const row = new UploadRow(upload, {
      toggle: () => {
        if (upload.state === "sending" || upload.state === "waiting") this.#engine.pause(upload);
        else this.#engine.run(upload);
      },
      cancel: () => void this.#cancel(upload, row),
    });
    upload.addEventListener("state", () => {
      if (this.#unfinished.some(({ videoId }) => videoId === upload.videoId)) this.#drawUnfinished();
      if (upload.isOver) void forgetShared(upload.file).catch(() => {}); // a later visit offers it once more
      if (upload.state === "cancelled") this.#remove(upload, row);
      if (upload.state === "completed" && upload.videoId) this.#onCompleted(upload.videoId);
      this.#startNext();
    });
    byId("uploads").append(row.element);
  }

  async #cancel(upload: VideoUpload, row: UploadRow): Promise<void> {
    if (upload.state === "completed" || (upload.state === "failed" && !canGoOn(upload))) {
      return this.#remove(upload, row);
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
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    const hadFocus = row.element.contains(document.activeElement);
    row.element.remove();
    if (hadFocus) byId("files").focus();
  }

  #drawUnfinished(): void {
    // An upload that began while the list was under way stands in it as well.
    const mine = new Set(this.#uploads.map((upload) => upload.videoId));
    this.#unfinished = this.#unfinished.filter((upload) => !mine.has(upload.videoId));
    byId("unfinished").hidden = this.#unfinished.length === 0;
    byId("unfinished-list").replaceChildren(...this.#unfinished.map((upload) => this.#unfinishedRow(upload)));
  }

  #unfinishedRow(upload: UnfinishedUpload): HTMLElement {
    const row = fromTemplate("unfinished-template");
    const choose = within<HTMLButtonElement>(row, "[data-do=choose]");
    const discard = within<HTMLButtonElement>(row, "[data-do=discard]");
    within(row, ".name").textContent = upload.fileName;
    within(row, ".status").textContent = "Unfinished";
    within(row, ".figures").textContent = `${size(upload.sizeBytes)} · begun ${date(upload.startedAt)}`;
    choose.setAttribute("aria-label", `Choose the file ${upload.fileName}`);
    choose.onclick = () => this.#chooseAgain(upload);
    discard.setAttribute("aria-label", `Discard ${upload.fileName}`);
    discard.onclick = () => void this.#discard(upload);
    return row;
  }

  #chooseAgain(upload: UnfinishedUpload): void {
    const input = document.createElement("input");
    input.type = "file";
    input.onchange = () => {
      const file = input.files?.[0];
      if (!file) return;
      if (file.name !== upload.fileName || file.size !== upload.sizeBytes) {
        showBanner(`This is a different file. Choose ${upload.fileName} (${size(upload.sizeBytes)}).`);
        return;
      }
      void this.add([file]);
    };
    input.click();
  }

  async #discard(upload: UnfinishedUpload): Promise<void> {
    const sure = await confirmed({
      title: `Discard ${upload.fileName}?`,
      text: "The parts that were sent are deleted.",
      yes: "Discard",
    });
    if (!sure) return;
    try {
      await this.#api.abortUpload(upload.uploadToken);
      forgetFile(upload.videoId);
      this.#dropUnfinished(upload);
      byId("files").focus();
    } catch (error) {
      showBanner(`${upload.fileName}: ${message(error)}`);
    }
  }

  #dropUnfinished(upload: UnfinishedUpload): void {
    this.#unfinished = this.#unfinished.filter((each) => each !== upload);
    this.#drawUnfinished();
  }
}
