/** How one upload looks: name, state in words, bar, figures, two buttons. */

import { size, timeLeft } from "./format";
import { message } from "./messages";
import { announce, fromTemplate, within } from "./page";
import type { UploadState, VideoUpload } from "./video_upload";

const ANNOUNCED_STEPS = 4;
const DRAWN_EVERY_MS = 100;
const OFFLINE_WORDS = "Waiting for a connection";
const STATE_WORDS: Record<UploadState, string> = {
  waiting: "Waiting",
  sending: "Uploading",
  paused: "Paused",
  completing: "Finishing",
  completed: "Uploaded",
  failed: "Interrupted",
  cancelling: "Cancelling",
  cancelled: "Cancelled",
};
const NO_TOGGLE = new Set<UploadState>(["completing", "completed", "cancelling", "cancelled"]);
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
    for (const change of ["online", "offline"]) {
      window.addEventListener(change, () => {
        if (upload.state === "sending") this.#drawState();
      });
    }
    this.#drawFigures();
    this.#drawState();
  }

  #drawFigures(): void {
    const { file, sentBytes, state } = this.#upload;
    const share = state === "completed" ? 1 : Math.min(1, sentBytes / file.size);
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
    const { state, file, error } = this.#upload;
    this.element.dataset.state = state;
    const isOffline = state === "sending" && !navigator.onLine;
    const words = state === "failed" ? message(error) : isOffline ? OFFLINE_WORDS : STATE_WORDS[state];
    within(this.element, ".status").textContent = words;
    if (state !== "waiting" && words !== this.#words) announce(`${file.name}: ${words}`);
    this.#words = words;
    this.#toggle.hidden = NO_TOGGLE.has(state) || !canGoOn(this.#upload);
    label(this.#toggle, state === "paused" ? "Resume" : state === "failed" ? "Try again" : "Pause", file.name);
    this.#cancel.hidden = state === "completing" || state === "cancelling";
    const isOver = state === "completed" || (state === "failed" && !canGoOn(this.#upload));
    label(this.#cancel, isOver ? "Remove" : "Cancel", file.name);
  }
}

/** Whether another try can help. */
export function canGoOn({ error }: VideoUpload): boolean {
  return !FINAL_CODES.has((error as { code?: string } | null)?.code ?? "");
}

function label(button: HTMLButtonElement, text: string, fileName: string): void {
  button.textContent = text;
  button.setAttribute("aria-label", `${text} ${fileName}`);
}

function figures(upload: VideoUpload): string {
  const { file, sentBytes, state, bytesPerSecond } = upload;
  if (state === "completed") return size(file.size);
  const each = [`${size(sentBytes)} of ${size(file.size)}`];
  if (state === "sending" && bytesPerSecond > 0) {
    each.push(`${size(bytesPerSecond)}/s`, timeLeft((file.size - sentBytes) / bytesPerSecond));
  }
  return each.join(" · ");
}
