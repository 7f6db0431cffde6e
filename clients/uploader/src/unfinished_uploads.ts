/** Uploads that wait to go on: here with their file, or in the tab or on the device that has them. */

import type { ApiClient, UnfinishedUpload } from "./api";
import { element } from "./dom";
import { date, size } from "./format";
import { message } from "./messages";
import { OtherDevices } from "./other_devices";
import { forgetFile } from "./remembered_files";
import { codeOf, GONE, UploadError } from "./upload_errors";
import { heldVideoIds, lock } from "./upload_lock";
import type { View } from "./view";

const LOOK_MS = 2000;
/** Each look at other devices is a call. */
const LIST_AGAIN_MS = 30_000;

export class UnfinishedUploads {
  readonly #api: ApiClient;
  readonly #view: View;
  readonly #isMine: (videoId: string) => boolean;
  readonly #onChosen: (file: File) => void;
  #uploads: UnfinishedUpload[] = [];
  /** of them, those that another tab sends */
  #elsewhere: ReadonlySet<string> = new Set();
  readonly #devices = new OtherDevices();
  #askedAt = 0;
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

  /** Whether another device sends it, as far as a list of this minute tells. */
  async isOnOtherDevice({ videoId }: UnfinishedUpload): Promise<boolean> {
    await this.#listIfOld();
    return this.#devices.has(videoId);
  }

  /** It goes on in a row of its own, or is over. */
  drop(upload: UnfinishedUpload): void {
    this.#uploads = this.#uploads.filter(({ videoId }) => videoId !== upload.videoId);
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
    this.#askedAt = performance.now();
    const { uploads } = await this.#api.unfinishedUploads();
    this.#elsewhere = await heldVideoIds();
    this.#devices.look(uploads, this.#elsewhere);
    this.#uploads = uploads;
    this.draw();
  }

  /** Nothing is worse than before where no list comes. */
  async #listIfOld(): Promise<void> {
    if (performance.now() - this.#askedAt >= LIST_AGAIN_MS) await this.#list().catch(() => {});
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
    if (this.#devices.mayChange && document.visibilityState === "visible") await this.#listIfOld();
    this.#lookLater();
  }

  #row(upload: UnfinishedUpload): HTMLElement {
    const { language } = this.#view;
    const { fileName: name, sizeBytes, receivedBytes, expiresAt, videoId } = upload;
    const isInOtherTab = this.#elsewhere.has(videoId);
    const isOnOtherDevice = !isInOtherTab && this.#devices.has(videoId);
    const isElsewhere = isInOtherTab || isOnOtherDevice;
    const state = isInOtherTab ? "unfinished.elsewhere" : isOnOtherDevice ? "unfinished.device" : "unfinished.state";
    const known = { size: size(sizeBytes, language), date: date(expiresAt, language) };
    const figures =
      receivedBytes === null
        ? language.text("unfinished.until", known)
        : language.text("unfinished.figures", { ...known, received: size(receivedBytes, language) });
    const buttons = element(
      "span",
      { class: "buttons" },
      this.#button("choose", name, isInOtherTab, () => this.#chooseAgain(upload)),
      this.#button("discard", name, isElsewhere, () => void this.#discard(upload)),
    );
    return element(
      "li",
      { class: "upload", part: "row" },
      element(
        "div",
        { class: "upload-head" },
        nameOf(name),
        element("span", { class: "status" }, language.text(state)),
      ),
      element("div", { class: "upload-foot" }, element("span", { class: "figures" }, figures), buttons),
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
      if (await this.isOnOtherDevice(upload)) throw new UploadError("sent_on_other_device");
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
