/** View of one upload: picture, name, state in words, figures, two buttons, bar. */

import { element, icon } from "./dom";
import { size, timeLeft } from "./format";
import { localPicture } from "./local_picture";
import { message } from "./messages";
import { canGoOn, isRemovable } from "./upload_ends";
import type { UploaderLanguage, UploaderTextKey } from "./uploader_texts";
import { shareOf, type UploadState, type VideoUpload } from "./video_upload";
import type { View } from "./view";

const ANNOUNCED_STEPS = 4;
const DRAWN_EVERY_MS = 200;
const LOOKED_AT_EVERY_MS = 1000;
const NO_TOGGLE = new Set<UploadState>(["completing", "completed", "ready", "rejected", "cancelling", "cancelled"]);
type Action = "pause" | "stop" | "resume" | "retry" | "start" | "cancel" | "remove";
const TOGGLES: Partial<Record<UploadState, Action>> = { pausing: "stop", paused: "resume", failed: "retry" };
/** Paths in a box of 48 by 48. */
const ICONS: Record<Action, string> = {
  pause: "M18 13v22m12-22v22",
  stop: "M15 15h18v18H15z",
  resume: "M18 13v22l17-11z",
  start: "M18 13v22l17-11z",
  retry: "M35 24a11 11 0 1 1-3.5-8m3.5-5v7h-7",
  cancel: "m15 15 18 18m0-18L15 33",
  remove: "m15 15 18 18m0-18L15 33",
};
const FILM = "M10 13h28v22H10zm6 0v22m16-22v22M10 20h6m-6 8h6m16-8h6m-6 8h6";
/** States in which time alone changes what the row says. */
const MOVING = new Set<UploadState>(["sending", "pausing", "completing", "cancelling"]);

/** Text of the row itself; the list decides what its buttons do. */
export class UploadRow {
  readonly element = element("li", { class: "upload", part: "row" });
  readonly #upload: VideoUpload;
  readonly #view: View;
  readonly #status = element("span", { class: "status" });
  readonly #figures = element("span", { class: "figures" });
  readonly #toggle = element("button", { type: "button", class: "quiet", "data-do": "toggle", part: "button" });
  readonly #cancel = element("button", { type: "button", class: "quiet", "data-do": "cancel", part: "button" });
  readonly #bar = element("progress", { max: "1", value: "0", part: "progress" });
  #announcedStep = 0;
  #words = "";
  #timer: number | undefined;

  constructor(upload: VideoUpload, view: View, actions: { toggle: () => void; cancel: () => void }) {
    this.#upload = upload;
    this.#view = view;
    const { name } = upload.file;
    const picture = element("span", { class: "picture" }, icon(FILM));
    this.element.append(
      picture,
      element(
        "div",
        { class: "upload-words" },
        element("span", { class: "name", dir: "auto", title: name }, name),
        element("span", { class: "line" }, this.#status, this.#figures),
      ),
      element("span", { class: "buttons" }, this.#toggle, this.#cancel),
      this.#bar,
    );
    void localPicture(upload.file).then((drawn) => drawn && picture.replaceChildren(drawn));
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
    upload.addEventListener("state", () => this.draw());
    upload.addEventListener("hold", () => this.#drawState());
    this.draw();
  }

  /** Write everything, in the view's language. */
  draw(): void {
    const { language } = this.#view;
    this.#bar.setAttribute("aria-label", language.text("row.progress", { name: this.#upload.file.name }));
    this.#drawFigures();
    this.#drawState();
  }

  #drawFigures(): void {
    const { file } = this.#upload;
    const { language } = this.#view;
    const share = shareOf(this.#upload);
    this.#bar.value = share;
    this.#figures.textContent = figures(this.#upload, language);
    const step = Math.floor(share * ANNOUNCED_STEPS);
    if (step > this.#announcedStep && step < ANNOUNCED_STEPS) {
      const percent = (step * 100) / ANNOUNCED_STEPS;
      this.#view.announce(language.text("row.percent", { name: file.name, percent }));
    }
    this.#announcedStep = Math.max(step, this.#announcedStep);
  }

  #drawState(): void {
    const { state, file, open } = this.#upload;
    const { language } = this.#view;
    this.element.dataset.state = state;
    const words = stateWords(this.#upload, language);
    this.#status.textContent = withCountdown(words, this.#upload, language);
    if (state !== "waiting" && words !== this.#words) {
      this.#view.announce(language.text("message.of_file", { name: file.name, message: words }));
    }
    this.#words = words;
    this.#toggle.hidden = NO_TOGGLE.has(state) || !canGoOn(this.#upload);
    this.#label(this.#toggle, state === "paused" && !open ? "start" : (TOGGLES[state] ?? "pause"));
    this.#cancel.hidden = state === "completing" || state === "cancelling";
    this.#label(this.#cancel, isRemovable(this.#upload) ? "remove" : "cancel");
    this.#lookLater();
  }

  #label(button: HTMLButtonElement, action: Action): void {
    const { language } = this.#view;
    if (button.title === language.text(`action.${action}`)) return;
    button.title = language.text(`action.${action}`);
    button.replaceChildren(icon(ICONS[action]));
    button.setAttribute("aria-label", language.text(`action.${action}.named`, { name: this.#upload.file.name }));
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

function stateWords(upload: VideoUpload, language: UploaderLanguage): string {
  const { state, error, hold, isStalled } = upload;
  if (state === "failed" || state === "rejected") return message(error, language);
  if (hold) return language.text(`state.${hold.reason}`);
  return language.text(isStalled ? "state.stalled" : stateKey(state));
}

function stateKey(state: UploadState): UploaderTextKey {
  return `state.${state}`;
}

function withCountdown(state: string, { hold }: VideoUpload, language: UploaderLanguage): string {
  if (!hold || hold.reason === "signed-out") return state;
  const seconds = Math.ceil((hold.until - performance.now()) / 1000);
  return seconds > 0
    ? language.text("state.retry_in", { state, seconds })
    : language.text("state.retry_now", { state });
}

function figures(upload: VideoUpload, language: UploaderLanguage): string {
  const { file, sentBytes, state, bytesPerSecond } = upload;
  if (upload.isOver) return size(file.size, language);
  const each = [language.text("row.sent", { sent: size(sentBytes, language), size: size(file.size, language) })];
  if (state === "sending" && bytesPerSecond > 0) {
    each.push(language.text("row.speed", { speed: size(bytesPerSecond, language) }));
    each.push(timeLeft((file.size - sentBytes) / bytesPerSecond, language));
  }
  return each.join(" · ");
}
