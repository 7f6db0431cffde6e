/** Uploads that wait to go on: here with their file, or in the tab that has them. */

import type { ApiClient, UnfinishedUpload } from "./api";
import { element } from "./dom";
import { date, size } from "./format";
import { message } from "./messages";
import { forgetFile } from "./remembered_files";
import { codeOf, GONE } from "./upload_errors";
import { heldVideoIds, lock } from "./upload_lock";
import type { View } from "./view";

const LOOK_MS = 2000;

export class UnfinishedUploads {
  readonly #api: ApiClient;
  readonly #view: View;
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
  constructor(api: ApiClient, view: View, isMine: (videoId: string) => boolean, onChosen: (file: File) => void) {
    this.#api = api;
    this.#view = view;
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
    this.show().catch((error: unknown) => this.#tell(error));
  }

  /** The upload that waits for such a file, here or in another tab. */
  of(file: File): UnfinishedUpload | undefined {
    return this.#uploads.find((each) => fits(file, each));
  }

  /** It goes on in a row of its own, or is over. */
  drop(upload: UnfinishedUpload): void {
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    this.draw();
  }

  /** Never list this one again. */
  forget(videoId: string): void {
    this.#gone.add(videoId);
    forgetFile(videoId);
  }

  /** An upload that began while the list was under way stands in it as well. */
  dropMine(): void {
    if (this.#uploads.some(({ videoId }) => this.#isMine(videoId))) this.draw();
  }

  /** Write the list, in the view's language. */
  draw(): void {
    this.#uploads = this.#uploads.filter(({ videoId }) => !this.#isMine(videoId) && !this.#gone.has(videoId));
    this.#view.unfinishedBox.hidden = this.#uploads.length === 0;
    this.#view.unfinished.replaceChildren(...this.#uploads.map((upload) => this.#row(upload)));
    this.#lookLater();
  }

  async #list(): Promise<void> {
    const { uploads } = await this.#api.unfinishedUploads();
    this.#elsewhere = await heldVideoIds();
    this.#uploads = uploads;
    this.draw();
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
    else if (this.#uploads.some(isOther)) this.draw();
    this.#lookLater();
  }

  #row(upload: UnfinishedUpload): HTMLElement {
    const { language } = this.#view;
    const { fileName: name, sizeBytes, startedAt } = upload;
    const isElsewhere = this.#elsewhere.has(upload.videoId);
    const state = language.text(isElsewhere ? "unfinished.elsewhere" : "unfinished.state");
    const begun = { size: size(sizeBytes, language), date: date(startedAt, language) };
    const buttons = element(
      "span",
      { class: "buttons" },
      this.#button("choose", name, isElsewhere, () => this.#chooseAgain(upload)),
      this.#button("discard", name, isElsewhere, () => void this.#discard(upload)),
    );
    return element(
      "li",
      { class: "upload", part: "row" },
      element("div", { class: "upload-head" }, nameOf(name), element("span", { class: "status" }, state)),
      element(
        "div",
        { class: "upload-foot" },
        element("span", { class: "figures" }, language.text("unfinished.figures", begun)),
        buttons,
      ),
    );
  }

  #button(action: "choose" | "discard", name: string, hidden: boolean, onclick: () => void): HTMLButtonElement {
    const { language } = this.#view;
    const label = language.text(`unfinished.${action}.named`, { name });
    const looks = action === "discard" ? "quiet" : undefined;
    const attributes = { type: "button", class: looks, "data-do": action, "aria-label": label, hidden, part: "button" };
    const button = element("button", attributes, language.text(`unfinished.${action}`));
    button.onclick = onclick;
    return button;
  }

  #chooseAgain(upload: UnfinishedUpload): void {
    const input = document.createElement("input");
    input.type = "file";
    input.onchange = () => {
      const file = input.files?.[0];
      if (!file) return;
      if (!fits(file, upload)) {
        const { language } = this.#view;
        const wanted = { name: upload.fileName, size: size(upload.sizeBytes, language) };
        this.#view.tell(language.text("unfinished.other_file", wanted));
        return;
      }
      this.#onChosen(file);
    };
    input.click();
  }

  async #discard(upload: UnfinishedUpload): Promise<void> {
    const { language } = this.#view;
    const sure = await this.#view.confirmed({
      title: language.text("discard.title", { name: upload.fileName }),
      text: language.text("discard.text"),
      yes: language.text("discard.yes"),
      no: language.text("discard.no"),
    });
    if (!sure) return;
    let unlock = () => {};
    try {
      unlock = await lock(upload.videoId); // another tab may have taken it up meanwhile
      await this.#api.abortUpload(upload.uploadToken);
    } catch (error) {
      const isOver = GONE.has(codeOf(error)) || codeOf(error) === "upload_completed";
      if (!isOver) return this.#tell(error, upload.fileName);
    } finally {
      unlock();
    }
    forgetFile(upload.videoId);
    this.drop(upload);
    this.#view.picker.focus();
  }

  #tell(error: unknown, name = ""): void {
    const { language } = this.#view;
    const words = message(error, language);
    this.#view.tell(name ? language.text("message.of_file", { name, message: words }) : words);
  }
}

/** Whether it may be the file: systems spell the same name in two Unicode forms. Its bytes are compared later. */
function fits(file: File, { fileName, sizeBytes }: UnfinishedUpload): boolean {
  return file.name.normalize() === fileName.normalize() && file.size === sizeBytes;
}

function nameOf(fileName: string): HTMLElement {
  return element("span", { class: "name", dir: "auto" }, fileName);
}
