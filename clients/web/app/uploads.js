/** The uploads of this tab, one file after another, and those that wait to go on. */

import { date, size, timeLeft } from "./format.js";
import { message } from "./messages.js";
import { announce, byId, confirmed, fromTemplate, showBanner } from "./page.js";
import { PartsUpload, UploadError } from "./parts_upload.js";
import { forgetFile, wasChanged } from "./remembered_files.js";

/** @typedef {import("./api.js").ApiClient} ApiClient */
/** @typedef {import("./api.js").UnfinishedUpload} UnfinishedUpload */

/** Browsers know few of these types themselves. */
const CONTENT_TYPES = /** @type {Record<string, string>} */ ({
  mp4: "video/mp4",
  m4v: "video/mp4",
  mov: "video/quicktime",
  mkv: "video/x-matroska",
  webm: "video/webm",
  avi: "video/x-msvideo",
});

const ANNOUNCED_STEPS = 4;

const OFFLINE_WORDS = "Waiting for the connection";

/** @type {Record<import("./parts_upload.js").UploadState, string>} */
const STATE_WORDS = {
  waiting: "Waiting",
  sending: "Uploading",
  paused: "Paused",
  completing: "Finishing",
  completed: "Uploaded",
  failed: "Interrupted",
  cancelling: "Cancelling",
  cancelled: "Cancelled",
};

export class Uploads {
  #api;
  #onCompleted;
  /** @type {PartsUpload[]} */
  #uploads = [];
  /** @type {UnfinishedUpload[]} */
  #unfinished = [];
  #title = document.title;

  /** @param {ApiClient} api @param {(videoId: string) => void} onCompleted */
  constructor(api, onCompleted) {
    this.#api = api;
    this.#onCompleted = onCompleted;
    window.addEventListener("beforeunload", (event) => {
      if (this.isBusy) event.preventDefault();
    });
  }

  get isBusy() {
    return this.#uploads.some((upload) => ["waiting", "sending", "completing", "cancelling"].includes(upload.state));
  }

  /** Show what waits to go on. */
  async showUnfinished() {
    const { uploads } = await this.#api.unfinishedUploads();
    this.#unfinished = uploads;
    this.#drawUnfinished();
  }

  /** Take files: those that wait to go on go on, the others begin. @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      const unfinished = this.#unfinished.find((each) => each.fileName === file.name && each.sizeBytes === file.size);
      this.#begin(file, unfinished);
    }
    this.#startNext();
  }

  /** @param {File} file @param {UnfinishedUpload} [unfinished] */
  #begin(file, unfinished) {
    const type = CONTENT_TYPES[file.name.toLowerCase().split(".").pop() ?? ""];
    const problem = !type ? "unsupported_video_type" : file.size === 0 ? "empty_file" : null;
    if (problem) return showBanner(`${file.name}: ${message(new UploadError(problem))}`);
    if (unfinished && wasChanged(unfinished.videoId, file)) {
      return showBanner(`${file.name}: ${message(new UploadError("file_differs"))}`);
    }
    if (unfinished) this.#dropUnfinished(unfinished);
    const upload = new PartsUpload(this.#api, file, type, unfinished);
    this.#uploads.push(upload);
    this.#draw(upload);
  }

  #startNext() {
    // One at a time: a finished first video is worth more than two halves.
    if (this.#uploads.some((upload) => ["sending", "completing"].includes(upload.state))) return;
    this.#uploads.find((upload) => upload.state === "waiting")?.run();
  }

  /** @param {PartsUpload} upload */
  #draw(upload) {
    const row = fromTemplate("upload-template");
    const part = (/** @type {string} */ selector) => /** @type {any} */ (row.querySelector(selector));
    part(".name").textContent = upload.file.name;
    part("progress").setAttribute("aria-label", `Progress of ${upload.file.name}`);
    part("[data-do=toggle]").onclick = () => {
      if (upload.state === "sending" || upload.state === "waiting") upload.pause();
      else upload.run();
    };
    part("[data-do=cancel]").onclick = () => this.#cancel(upload, row);

    let announcedStep = 0;
    const figures = () => {
      const share = upload.file.size ? Math.min(1, upload.sentBytes / upload.file.size) : 0;
      part("progress").value = share;
      part(".figures").textContent = figuresOf(upload);
      document.title = upload.state === "sending" ? `${Math.floor(share * 100)} % · ${this.#title}` : this.#title;
      const step = Math.floor(share * ANNOUNCED_STEPS);
      if (step > announcedStep && step < ANNOUNCED_STEPS) announce(`${upload.file.name}: ${step * 25} percent`);
      announcedStep = Math.max(step, announcedStep);
    };
    let drawing = false;
    upload.addEventListener("progress", () => {
      if (drawing) return;
      drawing = true;
      setTimeout(() => {
        drawing = false;
        figures();
      }, 100);
    });
    upload.addEventListener("state", () => {
      figures();
      if (this.#unfinished.some(({ videoId }) => videoId === upload.videoId)) this.#drawUnfinished();
      this.#drawState(upload, row, part);
      this.#startNext();
    });
    for (const change of ["online", "offline"]) {
      window.addEventListener(change, () => {
        if (upload.state === "sending") this.#drawState(upload, row, part);
      });
    }
    figures();
    this.#drawState(upload, row, part);
    byId("uploads").append(row);
  }

  /** @param {PartsUpload} upload @param {HTMLElement} row @param {(selector: string) => any} part */
  #drawState(upload, row, part) {
    const { state, file } = upload;
    row.dataset.state = state;
    const offline = state === "sending" && !navigator.onLine;
    const words = state === "failed" ? message(upload.error) : offline ? OFFLINE_WORDS : STATE_WORDS[state];
    part(".status").textContent = words;
    if (state !== "waiting") announce(`${file.name}: ${words}`);
    const toggle = part("[data-do=toggle]");
    toggle.hidden = ["completing", "completed", "cancelling", "cancelled"].includes(state) || !canGoOn(upload);
    toggle.textContent = { paused: "Resume", failed: "Try again" }[/** @type {string} */ (state)] ?? "Pause";
    toggle.setAttribute("aria-label", `${toggle.textContent} ${file.name}`);
    const cancel = part("[data-do=cancel]");
    cancel.hidden = ["completing", "cancelling"].includes(state);
    cancel.textContent = state === "completed" || (state === "failed" && !canGoOn(upload)) ? "Remove" : "Cancel";
    cancel.setAttribute("aria-label", `${cancel.textContent} ${file.name}`);
    if (state === "cancelled") this.#remove(upload, row);
    if (state === "completed" && upload.videoId) this.#onCompleted(upload.videoId);
  }

  /** @param {PartsUpload} upload @param {HTMLElement} row */
  async #cancel(upload, row) {
    if (upload.state === "completed" || (upload.state === "failed" && !canGoOn(upload))) {
      return this.#remove(upload, row);
    }
    const sure = await confirmed({
      title: `Cancel ${upload.file.name}?`,
      text: "What was sent so far is thrown away.",
      yes: "Cancel the upload",
      no: "Keep uploading",
    });
    if (!sure || upload.isOver || upload.state === "completing") return;
    const { videoId } = upload;
    await upload.cancel().catch(() => {}); // the row tells
    if (videoId && upload.state === "cancelled") forgetFile(videoId);
  }

  /** @param {PartsUpload} upload @param {HTMLElement} row */
  #remove(upload, row) {
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    if (hadFocus) byId("files").focus();
  }

  #drawUnfinished() {
    // An upload that began while the list was under way stands in it as well.
    const mine = new Set(this.#uploads.map((upload) => upload.videoId));
    this.#unfinished = this.#unfinished.filter((upload) => !mine.has(upload.videoId));
    byId("unfinished").hidden = this.#unfinished.length === 0;
    byId("unfinished-list").replaceChildren(...this.#unfinished.map((upload) => this.#unfinishedRow(upload)));
  }

  /** @param {UnfinishedUpload} upload */
  #unfinishedRow(upload) {
    const row = fromTemplate("unfinished-template");
    const part = (/** @type {string} */ selector) => /** @type {any} */ (row.querySelector(selector));
    part(".name").textContent = upload.fileName;
    part(".status").textContent = "Unfinished";
    part(".figures").textContent = `${size(upload.sizeBytes)} · begun ${date(upload.startedAt)}`;
    part("[data-do=choose]").setAttribute("aria-label", `Choose the file ${upload.fileName}`);
    part("[data-do=choose]").onclick = () => this.#chooseAgain(upload);
    part("[data-do=discard]").setAttribute("aria-label", `Discard ${upload.fileName}`);
    part("[data-do=discard]").onclick = () => this.#discard(upload);
    return row;
  }

  /** @param {UnfinishedUpload} upload */
  #chooseAgain(upload) {
    const input = document.createElement("input");
    input.type = "file";
    input.onchange = () => {
      const [file] = input.files ?? [];
      if (!file) return;
      if (file.name !== upload.fileName || file.size !== upload.sizeBytes) {
        showBanner(`This is another file: ${upload.fileName} with ${size(upload.sizeBytes)} is wanted.`);
        return;
      }
      this.add([file]);
    };
    input.click();
  }

  /** @param {UnfinishedUpload} upload */
  async #discard(upload) {
    const sure = await confirmed({
      title: `Discard ${upload.fileName}?`,
      text: "What was sent so far is thrown away.",
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

  /** @param {UnfinishedUpload} upload */
  #dropUnfinished(upload) {
    this.#unfinished = this.#unfinished.filter((each) => each !== upload);
    this.#drawUnfinished();
  }
}

/** Whether another try can help. @param {PartsUpload} upload */
function canGoOn(upload) {
  const { code = "" } = /** @type {{code?: string}} */ (upload.error ?? {});
  return ![
    "upload_aborted", "upload_expired", "upload_not_found", "file_unreadable", "file_too_large", "forbidden",
    "unsupported_video_type", "invalid_request", "empty_file",
  ].includes(code);
}

/** @param {PartsUpload} upload */
function figuresOf(upload) {
  const total = size(upload.file.size);
  if (upload.state === "completed") return total;
  const figures = [`${size(upload.sentBytes)} of ${total}`];
  if (upload.state === "sending" && upload.bytesPerSecond > 0) {
    figures.push(`${size(upload.bytesPerSecond)}/s`);
    figures.push(timeLeft((upload.file.size - upload.sentBytes) / upload.bytesPerSecond));
  }
  return figures.join(" · ");
}
