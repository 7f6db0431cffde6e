/** How one upload looks: name, state in words, bar, figures, two buttons. */

import { size, timeLeft } from "video-uploader/format";
import { message } from "video-uploader/messages";
import { codeOf } from "video-uploader/upload_errors";
import type { UploadState, VideoUpload } from "video-uploader/video_upload";
import { announce, fromTemplate, within } from "./page";

const ANNOUNCED_STEPS = 4;
const DRAWN_EVERY_MS = 100;
const LOOKED_AT_EVERY_MS = 1000;
const OFFLINE_WORDS = "No connection";
const BUSY_WORDS = "The server is busy";
const STALLED_WORDS = "Stalled: nothing moves at the moment";
const STATE_WORDS: Record<UploadState, string> = {
  waiting: "Waiting",
  sending: "Uploading",
  pausing: "Pausing: what is on its way still arrives",
  paused: "Paused",
  completing: "Finishing",
  completed: "Being processed",
  ready: "Uploaded",
  rejected: "Rejected",
  failed: "Interrupted",
  cancelling: "Cancelling",
  cancelled: "Cancelled",
};
const NO_TOGGLE = new Set<UploadState>(["completing", "completed", "ready", "rejected", "cancelling", "cancelled"]);
const TOGGLE_WORDS: Partial<Record<UploadState, string>> = {
  pausing: "Stop now",
  paused: "Resume",
  failed: "Try again",
};
/** States in which time alone changes what the row says. */
const MOVING = new Set<UploadState>(["sending", "pausing", "completing", "cancelling"]);
const FINAL_CODES = new Set([
  "upload_aborted",
  "upload_expired",
  "upload_not_found",
  "file_unreadable",
  "file_too_large",
  "forbidden",
  "unsupported_video_type",
  "invalid_request",
  "empty_file",
]);
const TITLE = document.title;

export class UploadRow {
  readonly element = fromTemplate("upload-template");
  readonly #upload: VideoUpload;
  readonly #toggle = within<HTMLButtonElement>(this.element, "[data-do=toggle]");
  readonly #cancel = within<HTMLButtonElement>(this.element, "[data-do=cancel]");
  readonly #bar = within<HTMLProgressElement>(this.element, "progress");
  #announcedStep = 0;
  #words = "";
  #timer: number | undefined;

  constructor(upload: VideoUpload, actions: { toggle: () => void; cancel: () => void }) {
    this.#upload = upload;
    within(this.element, ".name").textContent = upload.file.name;
    this.#bar.setAttribute("aria-label", `Progress of ${upload.file.name}`);
    this.#toggle.onclick = actions.toggle;
    this.#cancel.onclick = actions.cancel;
    let isDue = false;
    upload.addEventListener("progress", () => {
      if (isDue) return;
      isDue = true;
      setTimeout(() => {
        isDue = false;
        this.#drawFigures();
      }, DRAWN_EVERY_MS);
    });
    upload.addEventListener("state", () => {
      this.#drawFigures();
      this.#drawState();
    });
    upload.addEventListener("hold", () => this.#drawState());
    this.#drawFigures();
    this.#drawState();
  }

  #drawFigures(): void {
    const { file, sentBytes, state } = this.#upload;
    const share = this.#upload.isOver ? 1 : Math.min(1, sentBytes / file.size);
    this.#bar.value = share;
    within(this.element, ".figures").textContent = figures(this.#upload);
    document.title = state === "sending" ? `${Math.floor(share * 100)} % · ${TITLE}` : TITLE;
    const step = Math.floor(share * ANNOUNCED_STEPS);
    if (step > this.#announcedStep && step < ANNOUNCED_STEPS) {
      announce(`${file.name}: ${(step * 100) / ANNOUNCED_STEPS} percent`);
    }
    this.#announcedStep = Math.max(step, this.#announcedStep);
  }

  #drawState(): void {
    const { state, file } = this.#upload;
    this.element.dataset.state = state;
    const words = stateWords(this.#upload);
    within(this.element, ".status").textContent = words + countdown(this.#upload);
    if (state !== "waiting" && words !== this.#words) announce(`${file.name}: ${words}`);
    this.#words = words;
    this.#toggle.hidden = NO_TOGGLE.has(state) || !canGoOn(this.#upload);
    label(this.#toggle, TOGGLE_WORDS[state] ?? "Pause", file.name);
    this.#cancel.hidden = state === "completing" || state === "cancelling";
    label(this.#cancel, isRemovable(this.#upload) ? "Remove" : "Cancel", file.name);
    this.#lookLater();
  }

  /** A countdown and a stall are told without an event. */
  #lookLater(): void {
    clearTimeout(this.#timer);
    if (!MOVING.has(this.#upload.state)) return;
    this.#timer = window.setTimeout(() => {
      this.#drawFigures();
      this.#drawState();
    }, LOOKED_AT_EVERY_MS);
  }
}

/** Whether removing the row ends nothing. */
export function isRemovable(upload: VideoUpload): boolean {
  return upload.isOver || (upload.state === "failed" && (!canGoOn(upload) || isElsewhere(upload)));
}

/** Whether another tab sends it. */
export function isElsewhere({ state, error }: VideoUpload): boolean {
  return state === "failed" && codeOf(error) === "sent_elsewhere";
}

/** Whether another try can help. */
export function canGoOn({ error }: VideoUpload): boolean {
  return !FINAL_CODES.has(codeOf(error));
}

function stateWords(upload: VideoUpload): string {
  const { state, error, hold, isStalled } = upload;
  if (state === "failed" || state === "rejected") return message(error);
  if (hold) return hold.isOffline ? OFFLINE_WORDS : BUSY_WORDS;
  return isStalled ? STALLED_WORDS : STATE_WORDS[state];
}

function countdown({ hold }: VideoUpload): string {
  if (!hold) return "";
  const seconds = Math.ceil((hold.until - performance.now()) / 1000);
  return seconds > 0 ? `, trying again in ${seconds} s` : ", trying again now";
}

function label(button: HTMLButtonElement, text: string, fileName: string): void {
  button.textContent = text;
  button.setAttribute("aria-label", `${text} ${fileName}`);
}

function figures(upload: VideoUpload): string {
  const { file, sentBytes, state, bytesPerSecond } = upload;
  if (upload.isOver) return size(file.size);
  const each = [`${size(sentBytes)} of ${size(file.size)}`];
  if (state === "sending" && bytesPerSecond > 0) {
    each.push(`${size(bytesPerSecond)}/s`, timeLeft((file.size - sentBytes) / bytesPerSecond));
  }
  return each.join(" · ");
}
