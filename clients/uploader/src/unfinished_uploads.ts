/** Uploads that wait to go on: here with their file, or in the tab or on the device that has them. */

import type { ApiClient, UnfinishedUpload } from "./api";
import { element } from "./dom";
import { type FileHandle, pickedFiles, reopened, storedHandles } from "./file_handles";
import { date, size } from "./format";
import { message } from "./messages";
import { OtherDevices } from "./other_devices";
import { forgetFile } from "./remembered_files";
import { codeOf, GONE, UploadError } from "./upload_errors";
import { heldVideoIds, lock } from "./upload_lock";
import { extensionOf } from "./video_types";
import type { View } from "./view";

const LOOK_MS = 2000;
/** Each look at other devices is a call. */
const LIST_AGAIN_MS = 30_000;

export class UnfinishedUploads {
  readonly #api: ApiClient;
  readonly #view: View;
  readonly #isMine: (videoId: string) => boolean;
  readonly #onChosen: (files: ReadonlyMap<File, UnfinishedUpload>) => void;
  #uploads: UnfinishedUpload[] = [];
  /** of their files, by video */
  #handles: ReadonlyMap<string, FileHandle> = new Map();
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
  constructor(
    api: ApiClient,
    view: View,
    isMine: (videoId: string) => boolean,
    onChosen: (files: ReadonlyMap<File, UnfinishedUpload>) => void,
  ) {
    this.#api = api;
    this.#view = view;
    this.#isMine = isMine;
    this.#onChosen = onChosen;
    view.resumeUnfinished.onclick = () => void this.#resume(this.#resumable);
  }

  show(): Promise<void> {
    this.#listing ??= this.#list().catch((error: unknown) => {
      this.#listing = null;
      throw error;
    });
    return this.#listing;
  }

  /** Ask the API again. */
  showAgain(): void {
    this.#listing = null;
    this.show().catch((error: unknown) => this.#tell(error));
  }

  /** The upload that waits for such a file, here or in another tab. */
  of(file: File): UnfinishedUpload | undefined {
    return this.#uploads.find((each) => fits(file, each));
  }

  /** True if another device sends it, as far as a list of this minute tells. */
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
    this.#view.resumeUnfinished.hidden = this.#resumable.length === 0;
    this.#view.unfinished.replaceChildren(...this.#uploads.map((upload) => this.#row(upload)));
    this.#lookLater();
  }

  /** Uploads that continue without a search for their files. */
  get #resumable(): UnfinishedUpload[] {
    return this.#uploads.filter(({ videoId }) => this.#handles.has(videoId) && !this.#isElsewhere(videoId));
  }

  #isElsewhere(videoId: string): boolean {
    return this.#elsewhere.has(videoId) || this.#devices.has(videoId);
  }

  async #list(): Promise<void> {
    this.#askedAt = performance.now();
    const { uploads } = await this.#api.unfinishedUploads();
    this.#elsewhere = await heldVideoIds();
    this.#handles = await storedHandles();
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

  /** True if another tab took up one of them, or let go of it. */
  async #look(): Promise<void> {
    const before = this.#elsewhere;
    const held = await heldVideoIds();
    this.#elsewhere = held;
    const isOther = ({ videoId }: UnfinishedUpload) => before.has(videoId) !== held.has(videoId);
    // An upload that another tab released may be complete.
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
    const isElsewhere = this.#isElsewhere(videoId);
    const canResume = this.#handles.has(videoId) && !isElsewhere;
    const state = isInOtherTab ? "unfinished.elsewhere" : isOnOtherDevice ? "unfinished.device" : "unfinished.state";
    const known = { size: size(sizeBytes, language), date: date(expiresAt, language) };
    const figures =
      receivedBytes === null
        ? language.text("unfinished.until", known)
        : language.text("unfinished.figures", { ...known, received: size(receivedBytes, language) });
    const buttons = element(
      "span",
      { class: "buttons" },
      this.#button("resume", name, !canResume, () => void this.#resume([upload])),
      this.#button("choose", name, isInOtherTab || canResume, () => void this.#chooseAgain(upload)),
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

  #button(
    action: "resume" | "choose" | "discard",
    name: string,
    hidden: boolean,
    onclick: () => void,
  ): HTMLButtonElement {
    const { language } = this.#view;
    const label = language.text(`unfinished.${action}.named`, { name });
    const looks = action === "discard" ? "quiet" : undefined;
    const attributes = { type: "button", class: looks, "data-do": action, "aria-label": label, hidden, part: "button" };
    const button = element("button", attributes, language.text(`unfinished.${action}`));
    button.onclick = onclick;
    return button;
  }

  /** Go on with these, by their handles. */
  async #resume(uploads: readonly UnfinishedUpload[]): Promise<void> {
    const files = new Map<File, UnfinishedUpload>();
    for (const upload of uploads) {
      const handle = this.#handles.get(upload.videoId);
      try {
        const file = handle && (await reopened(handle));
        if (file && this.#isFile(file, upload)) files.set(file, upload);
        if (file) continue;
      } catch (error) {
        this.#tell(new UploadError("file_unreadable", error), upload.fileName);
      }
      // Its row asks for the file instead.
      this.#handles = new Map([...this.#handles].filter(([videoId]) => videoId !== upload.videoId));
    }
    this.draw();
    this.#onChosen(files);
  }

  async #chooseAgain(upload: UnfinishedUpload): Promise<void> {
    const picked = await pickedFiles([extensionOf(upload.fileName)], false);
    if (picked) return this.#chosen(picked[0], upload);
    const input = document.createElement("input");
    input.type = "file";
    input.onchange = () => this.#chosen(input.files?.[0], upload);
    input.click();
  }

  #chosen(file: File | undefined, upload: UnfinishedUpload): void {
    if (file && this.#isFile(file, upload)) this.#onChosen(new Map([[file, upload]]));
  }

  /** True if it may be the upload's file; the person is told where it cannot. */
  #isFile(file: File, upload: UnfinishedUpload): boolean {
    if (fits(file, upload)) return true;
    const { language } = this.#view;
    const wanted = { name: upload.fileName, size: size(upload.sizeBytes, language) };
    this.#view.tell(language.text("unfinished.other_file", wanted));
    return false;
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

/** True if it may be the file: systems spell the same name in two Unicode forms. Its bytes are compared later. */
function fits(file: File, { fileName, sizeBytes }: UnfinishedUpload): boolean {
  return file.name.normalize() === fileName.normalize() && file.size === sizeBytes;
}

function nameOf(fileName: string): HTMLElement {
  return element("span", { class: "name", dir: "auto" }, fileName);
}
