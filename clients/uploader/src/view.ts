/** The frame of an uploader in its shadow root: drop area, lists, live region, message, question. */

import { element, icon, within } from "./dom";
import { keepFocus } from "./focus";
import { Turns } from "./turns";
import type { UploaderLanguage, UploaderTextKey } from "./uploader_texts";

export interface Question {
  title: string;
  text: string;
  yes: string;
  no: string;
  /** whether yes deletes something; true */
  deletes?: boolean;
}

const ARROW = "M24 32V13m0 0-8 8m8-8 8 8M9 32v3a4 4 0 0 0 4 4h22a4 4 0 0 0 4-4v-3";

export class View {
  readonly root: ShadowRoot;
  language: UploaderLanguage;
  readonly drop = element("div", { class: "drop", id: "drop", part: "drop" });
  readonly picker = element("input", {
    class: "visually-hidden",
    id: "files",
    type: "file",
    multiple: true,
    "aria-describedby": "formats",
  });
  readonly camera = element("input", {
    class: "visually-hidden camera",
    id: "camera",
    type: "file",
    accept: "video/*",
    capture: "environment",
  });
  readonly folder = element("input", {
    class: "visually-hidden folder",
    id: "folder",
    type: "file",
    webkitdirectory: true,
  });
  readonly formats = element("p", { class: "hint", id: "formats" });
  readonly summary = element("div", { class: "summary", id: "summary", part: "summary", role: "group", hidden: true });
  readonly uploads = element("ul", { class: "uploads", id: "uploads", part: "list" });
  readonly unfinished = element("ul", { class: "uploads", id: "unfinished-list", part: "list" });
  readonly resumeUnfinished = element("button", {
    type: "button",
    class: "primary",
    part: "button primary",
    hidden: true,
  });
  readonly unfinishedBox = element("div", { id: "unfinished", hidden: true });
  readonly #live = element("p", { class: "visually-hidden", id: "live", "aria-live": "polite" });
  readonly #message = element("div", { class: "message", id: "message", part: "message", role: "alert", hidden: true });
  readonly #question = element("dialog", { id: "question", part: "dialog", "aria-labelledby": "question-title" });
  /** rewrite the texts of the frame */
  readonly #texts: (() => void)[] = [];
  readonly #onMessage: (text: string) => boolean;
  readonly #questions = new Turns();

  /** onMessage: whether the embedding page shows the text itself. */
  constructor(root: ShadowRoot, language: UploaderLanguage, onMessage: (text: string) => boolean) {
    this.root = root;
    this.language = language;
    this.#onMessage = onMessage;
    this.#fillDrop();
    this.#fillMessage();
    this.#fillQuestion();
    this.unfinishedBox.append(
      this.#text("h2", "list.unfinished"),
      this.#text("p", "unfinished.hint"),
      this.resumeUnfinished,
      this.unfinished,
    );
    within(this.unfinishedBox, "p").className = "hint";
    this.#write(this.resumeUnfinished, "unfinished.resume_all");
    this.#named(this.uploads, "list.uploads");
    this.#named(this.summary, "summary.name");
    this.#named(this.unfinished, "list.unfinished");
    root.append(this.#message, this.drop, this.summary, this.uploads, this.unfinishedBox, this.#live, this.#question);
    keepFocus(root);
    this.speak(language);
  }

  /** Write the frame's texts in this language; rows write their own. */
  speak(language: UploaderLanguage): void {
    this.language = language;
    for (const write of this.#texts) write();
  }

  /** True if the list has rows: the drop area then leaves them the room. */
  hasUploads(hasSome: boolean): void {
    this.drop.classList.toggle("small", hasSome);
  }

  /** Read out by screen readers. */
  announce(text: string): void {
    this.#live.textContent = text;
  }

  /** Show a message until it is closed, unless the embedding page does. */
  tell(text: string): void {
    if (this.#onMessage(text)) return;
    within(this.#message, "p").textContent = text;
    this.#message.hidden = false;
  }

  /** True if the person says yes. Questions are asked one after another. */
  confirmed(question: Question): Promise<boolean> {
    return this.#questions.take(() => this.#ask(question));
  }

  /** Answer the open question with no: a dialog that leaves the document is never closed. */
  dismiss(): void {
    this.#question.close("no");
  }

  #ask({ title, text, yes, no, deletes = true }: Question): Promise<boolean> {
    const dialog = this.#question;
    within(dialog, "h2").textContent = title;
    within(dialog, "p").textContent = text;
    const consent = within(dialog, "[value=yes]");
    consent.textContent = yes;
    consent.className = deletes ? "danger" : "primary";
    const refusal = within(dialog, "[value=no]");
    refusal.textContent = no;
    dialog.returnValue = "no";
    dialog.showModal();
    refusal.focus();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  #fillDrop(): void {
    const title = element(
      "p",
      { class: "drop-title" },
      this.#text("span", "drop.title"),
      this.#text("span", "drop.title.touch"),
    );
    title.firstElementChild?.setAttribute("class", "for-mouse");
    title.lastElementChild?.setAttribute("class", "for-touch");
    const choose = element("label", { class: "primary button", for: "files", part: "button primary" });
    const record = element("label", { class: "button camera", for: "camera", part: "button" });
    this.#write(choose, "drop.choose");
    this.#write(record, "drop.record");
    const folder = element("label", { class: "button folder", for: "folder", part: "button" });
    this.#write(folder, "drop.folder");
    const buttons = element("div", { class: "drop-buttons" }, choose, folder, record);
    this.drop.append(icon(ARROW), title, buttons, this.picker, this.folder, this.camera, this.formats);
  }

  #fillMessage(): void {
    const close = element("button", { type: "button", class: "quiet" }, "✕");
    close.onclick = () => {
      this.#message.hidden = true;
    };
    this.#named(close, "message.close");
    this.#message.append(element("p"), close);
  }

  #fillQuestion(): void {
    const no = element("button", { type: "submit", value: "no", class: "quiet" });
    const yes = element("button", { type: "submit", value: "yes" });
    const title = element("h2", { id: "question-title", dir: "auto" });
    const form = element(
      "form",
      { method: "dialog" },
      title,
      element("p"),
      element("div", { class: "actions" }, no, yes),
    );
    this.#question.append(form);
  }

  #text<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, key: UploaderTextKey): HTMLElementTagNameMap[Tag] {
    const made = element(tag);
    this.#write(made, key);
    return made;
  }

  #write(into: Element, key: UploaderTextKey): void {
    this.#texts.push(() => {
      into.textContent = this.language.text(key);
    });
  }

  #named(labelled: Element, key: UploaderTextKey): void {
    this.#texts.push(() => labelled.setAttribute("aria-label", this.language.text(key)));
  }
}
