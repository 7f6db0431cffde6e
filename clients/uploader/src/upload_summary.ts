/** The line above a list of several uploads: their figures together, and what may be done with all of them. */

import { element } from "./dom";
import { size, timeLeft } from "./format";
import { totalsOf, type UploadTotals } from "./upload_totals";
import type { Uploads } from "./uploads";
import type { View } from "./view";

const SHOWN_FROM = 2;
const LOOKED_AT_EVERY_MS = 1000;
const DRAWN_EVERY_MS = 250;
type Action = "pause_all" | "resume_all" | "retry_all" | "cancel_all" | "clear_finished";
const APPLIES: Record<Action, keyof UploadTotals> = {
  pause_all: "canPause",
  resume_all: "canResume",
  retry_all: "canRetry",
  cancel_all: "canCancel",
  clear_finished: "canClear",
};

export class UploadSummary {
  readonly #view: View;
  readonly #uploads: Uploads;
  readonly #count = element("span", { class: "status" });
  readonly #figures = element("span", { class: "figures" });
  readonly #bar = element("progress", { max: "1", value: "0", part: "progress" });
  readonly #buttons = new Map<Action, HTMLButtonElement>();
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View, uploads: Uploads) {
    this.#view = view;
    this.#uploads = uploads;
    const run: Record<Action, () => void> = {
      pause_all: () => uploads.pauseAll(),
      resume_all: () => uploads.resumeAll(),
      retry_all: () => uploads.retryAll(),
      cancel_all: () => void this.#cancelAll(),
      clear_finished: () => uploads.clearFinished(),
    };
    const buttons = element("span", { class: "buttons" });
    for (const action of Object.keys(APPLIES) as Action[]) {
      const button = element("button", { type: "button", class: "quiet", "data-do": action, part: "button" });
      button.onclick = run[action];
      this.#buttons.set(action, button);
      buttons.append(button);
    }
    const words = element("span", { class: "upload-words" }, this.#count, this.#figures);
    view.summary.append(words, buttons, this.#bar);
  }

  /** Redraw everything soon, not at once: progress comes often. */
  drawSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.draw();
    }, DRAWN_EVERY_MS);
  }

  draw(): void {
    const { language } = this.#view;
    const totals = totalsOf(this.#uploads.all);
    this.#view.hasUploads(totals.count > 0);
    this.#view.summary.hidden = totals.count < SHOWN_FROM;
    const { count, storedCount, sentBytes, sizeBytes, secondsLeft } = totals;
    this.#count.textContent = language.text("summary.stored", { stored: storedCount, count });
    const share = sizeBytes ? sentBytes / sizeBytes : 0;
    const sent = language.text("row.sent", { sent: size(sentBytes, language), size: size(sizeBytes, language) });
    const figures = [sent, language.text("summary.percent", { percent: Math.floor(share * 100) })];
    if (secondsLeft !== null) figures.push(timeLeft(secondsLeft, language));
    // A stall is told without an event.
    clearTimeout(this.#timer);
    if (secondsLeft !== null) this.#timer = setTimeout(() => this.draw(), LOOKED_AT_EVERY_MS);
    this.#figures.textContent = figures.join(" · ");
    this.#bar.value = share;
    this.#bar.setAttribute("aria-label", language.text("summary.progress"));
    for (const [action, button] of this.#buttons) {
      button.hidden = !totals[APPLIES[action]];
      button.textContent = language.text(`action.${action}`);
    }
  }

  async #cancelAll(): Promise<void> {
    const { language } = this.#view;
    const sure = await this.#view.confirmed({
      title: language.text("cancel_all.title"),
      text: language.text("cancel_all.text"),
      yes: language.text("action.cancel_all"),
      no: language.text("cancel.no"),
    });
    if (sure) await this.#uploads.cancelAll();
  }
}
