/** Selecting several videos of the library, to delete them at once. */

import { within } from "video-uploader/dom";
import { language } from "./language";
import { byId } from "./page";

export class Selection {
  readonly #list = byId("videos");
  readonly #start = byId<HTMLButtonElement>("select");
  readonly #bar = byId("selection");
  readonly #delete = byId<HTMLButtonElement>("selection-delete");
  readonly #chosen = new Set<string>();

  /** remove: called with the ids that are to be deleted. */
  constructor(remove: (videoIds: string[]) => Promise<void>) {
    this.#start.onclick = () => this.#begin();
    byId<HTMLButtonElement>("selection-cancel").onclick = () => this.end();
    this.#delete.onclick = () => void remove([...this.#chosen]);
  }

  /** Let a card be chosen. name: of the video, as it is shown. */
  offer(card: HTMLElement, videoId: string, name: string): void {
    const box = within<HTMLInputElement>(card, "[data-do=select]");
    box.setAttribute("aria-label", language.text("selection.named", { name }));
    box.checked = this.#chosen.has(videoId);
    box.onchange = () => {
      if (box.checked) this.#chosen.add(videoId);
      else this.#chosen.delete(videoId);
      this.#draw();
    };
  }

  forget(videoId: string): void {
    if (this.#chosen.delete(videoId)) this.#draw();
  }

  /** Show the button that begins, where there is more than one video. */
  allow(isAllowed: boolean): void {
    this.#start.hidden = !isAllowed || this.#isOn;
    if (!isAllowed && this.#isOn) this.end();
  }

  /** Leave the selection, with nothing chosen. */
  end(): void {
    this.#chosen.clear();
    for (const box of this.#list.querySelectorAll<HTMLInputElement>("[data-do=select]")) box.checked = false;
    delete this.#list.dataset.selecting;
    this.#bar.hidden = true;
    this.#start.hidden = false;
    this.#start.focus();
  }

  get #isOn(): boolean {
    return !this.#bar.hidden;
  }

  #begin(): void {
    this.#list.dataset.selecting = "";
    this.#bar.hidden = false;
    this.#start.hidden = true;
    this.#draw();
    this.#list.querySelector<HTMLInputElement>("[data-do=select]")?.focus();
  }

  #draw(): void {
    const count = this.#chosen.size;
    byId("selection-count").textContent = language.text("selection.count", { count });
    this.#delete.disabled = count === 0;
  }
}
