/** Selecting several videos of a list, to delete them at once with one question. */

import { within } from "video-uploader/dom";
import { language, message } from "./language";
import { announce, confirmed, showBanner } from "./page";

interface SelectionElements {
  list: HTMLElement;
  /** The button that begins. */
  start: HTMLElement;
  bar: HTMLElement;
  /** Takes the focus where the button is not shown. */
  head: HTMLElement;
}

/** Deletion of the chosen videos, as the list does it. */
interface Deletions<Video> {
  /** Text of the question besides the number of videos. */
  warning: (videos: Video[]) => string;
  /** Outcomes in the order given. */
  remove: (videos: Video[]) => AsyncIterable<{ status: "deleted" | "failed" | "not_found" }>;
  /** Called for each video that is no longer there. */
  onGone: (video: Video) => void;
}

export class Selection<Video> {
  readonly #list: HTMLElement;
  readonly #start: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #head: HTMLElement;
  readonly #delete: HTMLButtonElement;
  readonly #deletions: Deletions<Video>;
  /** by video id */
  readonly #chosen = new Map<string, Video>();
  #isAllowed = false;

  constructor({ list, start, bar, head }: SelectionElements, deletions: Deletions<Video>) {
    this.#list = list;
    this.#start = start;
    this.#bar = bar;
    this.#head = head;
    this.#deletions = deletions;
    this.#delete = within<HTMLButtonElement>(bar, "[data-do=delete]");
    this.#delete.onclick = () => void this.#deleteChosen();
    this.#start.onclick = () => this.#begin();
    within<HTMLButtonElement>(bar, "[data-do=cancel]").onclick = () => this.#end();
  }

  /** Let a card be chosen. name: of the video, as it is shown. */
  offer(card: HTMLElement, videoId: string, name: string, video: Video): void {
    const box = within<HTMLInputElement>(card, "[data-do=select]");
    box.setAttribute("aria-label", language.text("selection.named", { name }));
    box.checked = this.#chosen.has(videoId);
    box.onchange = () => {
      if (box.checked) this.#chosen.set(videoId, video);
      else this.#chosen.delete(videoId);
      this.#draw();
    };
  }

  forget(videoId: string): void {
    if (this.#chosen.delete(videoId)) this.#draw();
  }

  /** Show the button that begins, where there is more than one video. */
  allow(isAllowed: boolean): void {
    this.#isAllowed = isAllowed;
    this.#start.hidden = !isAllowed || this.#isOn;
    if (!isAllowed && this.#isOn) this.#end();
  }

  async #deleteChosen(): Promise<void> {
    const videos = [...this.#chosen.values()];
    const sure = await confirmed({
      title: language.text("delete.many.title", { count: videos.length }),
      text: this.#deletions.warning(videos),
      yes: language.text("delete.yes"),
      no: language.text("delete.many.no"),
    });
    if (!sure) return;
    let [told, gone] = [0, 0];
    try {
      for await (const { status } of this.#deletions.remove(videos)) {
        const video = videos[told++];
        if (status === "failed" || video === undefined) continue;
        gone += 1;
        this.#deletions.onGone(video);
      }
      if (gone < told) showBanner(language.text("delete.many.failed", { count: told - gone }));
      else if (this.#isOn) this.#end();
    } catch (error) {
      showBanner(message(error));
    }
    announce(language.text("delete.many.done", { count: gone }));
  }

  /** Leave the selection, with nothing chosen. */
  #end(): void {
    // A button that is disabled, as that of the deletion once nothing is left, leaves the focus with the body.
    const focused = document.activeElement ?? document.body;
    const hadFocus = [this.#bar, this.#list].some((part) => part.contains(focused)) || focused === document.body;
    this.#chosen.clear();
    for (const box of this.#list.querySelectorAll<HTMLInputElement>("[data-do=select]")) box.checked = false;
    delete this.#list.dataset.selecting;
    this.#bar.hidden = true;
    this.#start.hidden = !this.#isAllowed;
    if (hadFocus) (this.#isAllowed ? this.#start : this.#head).focus();
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
    within(this.#bar, "[data-do=count]").textContent = language.text("selection.count", { count });
    this.#delete.disabled = count === 0;
  }
}
