/** Uploads that wait to go on: here with their file, or in the tab that has them. */

import type { ApiClient, UnfinishedUpload } from "video-uploader/api";
import { date, size } from "video-uploader/format";
import { message } from "video-uploader/messages";
import { forgetFile } from "video-uploader/remembered_files";
import { codeOf, GONE } from "video-uploader/upload_errors";
import { heldVideoIds, lock } from "video-uploader/upload_lock";
import { byId, confirmed, fromTemplate, showBanner, within } from "./page";

const LOOK_MS = 2000;

export class UnfinishedUploads {
  readonly #api: ApiClient;
  readonly #isMine: (videoId: string) => boolean;
  readonly #onChosen: (file: File) => void;
  #uploads: UnfinishedUpload[] = [];
  /** of them, those that another tab sends */
  #elsewhere: ReadonlySet<string> = new Set();
  /** S3 dropped their parts: told once */
  readonly #gone = new Set<string>();
  /** settles with the list; null until it is asked for, or when it did not come */
  #listing: Promise<void> | null = null;
  #timer: number | undefined;

  /** isMine: whether this tab shows the upload in a row of its own. */
  constructor(api: ApiClient, isMine: (videoId: string) => boolean, onChosen: (file: File) => void) {
    this.#api = api;
    this.#isMine = isMine;
    this.#onChosen = onChosen;
  }

  show(): Promise<void> {
    this.#listing ??= this.#list().catch((error: unknown) => {
      this.#listing = null;
      throw error;
    });
    return this.#listing;
  }

  /** Ask the API anew. */
  showAgain(): void {
    this.#listing = null;
    this.show().catch((error: unknown) => showBanner(message(error)));
  }

  /** The upload that waits for such a file, here or in another tab. */
  of(file: File): UnfinishedUpload | undefined {
    return this.#uploads.find((each) => fits(file, each));
  }

  /** It goes on in a row of its own, or is over. */
  drop(upload: UnfinishedUpload): void {
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    this.#draw();
  }

  /** Never list this one again. */
  forget(videoId: string): void {
    this.#gone.add(videoId);
    forgetFile(videoId);
  }

  /** An upload that began while the list was under way stands in it as well. */
  dropMine(): void {
    if (this.#uploads.some(({ videoId }) => this.#isMine(videoId))) this.#draw();
  }

  #draw(): void {
    this.#uploads = this.#uploads.filter(({ videoId }) => !this.#isMine(videoId) && !this.#gone.has(videoId));
    byId("unfinished").hidden = this.#uploads.length === 0;
    byId("unfinished-list").replaceChildren(...this.#uploads.map((upload) => this.#row(upload)));
    this.#lookLater();
  }

  async #list(): Promise<void> {
    const { uploads } = await this.#api.unfinishedUploads();
    this.#elsewhere = await heldVideoIds();
    this.#uploads = uploads;
    this.#draw();
  }

  #lookLater(): void {
    clearTimeout(this.#timer);
    if (this.#uploads.length > 0) this.#timer = window.setTimeout(() => void this.#look(), LOOK_MS);
  }

  /** Whether another tab took up one of them, or let go of it. */
  async #look(): Promise<void> {
    const before = this.#elsewhere;
    const held = await heldVideoIds();
    this.#elsewhere = held;
    const isOther = ({ videoId }: UnfinishedUpload) => before.has(videoId) !== held.has(videoId);
    // What another tab let go of may be complete.
    if (this.#uploads.some(({ videoId }) => before.has(videoId) && !held.has(videoId))) this.showAgain();
    else if (this.#uploads.some(isOther)) this.#draw();
    this.#lookLater();
  }

  #row(upload: UnfinishedUpload): HTMLElement {
    const row = fromTemplate("unfinished-template");
    const choose = within<HTMLButtonElement>(row, "[data-do=choose]");
    const discard = within<HTMLButtonElement>(row, "[data-do=discard]");
    const isElsewhere = this.#elsewhere.has(upload.videoId);
    within(row, ".name").textContent = upload.fileName;
    within(row, ".status").textContent = isElsewhere ? "Open in another tab" : "Unfinished";
    within(row, ".figures").textContent = `${size(upload.sizeBytes)} · begun ${date(upload.startedAt)}`;
    choose.hidden = isElsewhere;
    choose.setAttribute("aria-label", `Choose the file ${upload.fileName}`);
    choose.onclick = () => this.#chooseAgain(upload);
    discard.hidden = isElsewhere;
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
      if (!fits(file, upload)) {
        showBanner(`This is a different file. Choose ${upload.fileName} (${size(upload.sizeBytes)}).`);
        return;
      }
      this.#onChosen(file);
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
    let unlock = () => {};
    try {
      unlock = await lock(upload.videoId); // another tab may have taken it up meanwhile
      await this.#api.abortUpload(upload.uploadToken);
    } catch (error) {
      const isOver = GONE.has(codeOf(error)) || codeOf(error) === "upload_completed";
      if (!isOver) return showBanner(`${upload.fileName}: ${message(error)}`);
    } finally {
      unlock();
    }
    forgetFile(upload.videoId);
    this.drop(upload);
    byId("files").focus();
  }
}

/** Whether it may be the file: systems spell the same name in two Unicode forms. Its bytes are compared later. */
function fits(file: File, { fileName, sizeBytes }: UnfinishedUpload): boolean {
  return file.name.normalize() === fileName.normalize() && file.size === sizeBytes;
}
