/** Parts that the whole page shares: its elements and their texts, its live region, its banner, its question. */

import { Turns } from "video-uploader/turns";
import { language, languageName, type TextKey } from "./language";

const questions = new Turns();

export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

export function fromTemplate(templateId: string): HTMLElement {
  const { firstElementChild } = byId<HTMLTemplateElement>(templateId).content;
  return firstElementChild?.cloneNode(true) as HTMLElement;
}

/** Give the document its title and its texts in the page's language. */
export function speak(title: TextKey): void {
  fillTexts(document);
  document.title = language.text(title);
  document.documentElement.lang = languageName;
}

/** Fill what the document leaves to the language: data-text, data-label, data-placeholder name the keys. */
function fillTexts(root: ParentNode): void {
  for (const each of root.querySelectorAll<HTMLElement>("[data-text], [data-label], [data-placeholder]")) {
    const { text, label, placeholder } = each.dataset;
    if (text) each.textContent = language.text(text as TextKey);
    if (label) each.setAttribute("aria-label", language.text(label as TextKey));
    if (placeholder) each.setAttribute("placeholder", language.text(placeholder as TextKey));
  }
  for (const template of root.querySelectorAll("template")) fillTexts(template.content);
}

/** Read out by screen readers. */
export function announce(text: string): void {
  byId("live").textContent = text;
}

export function showBanner(text: string, action?: { label: string; run: () => void }): void {
  const button = byId<HTMLButtonElement>("banner-action");
  // An offer stays until it is taken or closed: the errors that follow from the same cause must not hide it.
  if (!action && !byId("banner").hidden && !button.hidden) return;
  byId("banner-text").textContent = text;
  button.hidden = !action;
  button.textContent = action?.label ?? "";
  button.onclick = () => {
    hideBanner();
    action?.run();
  };
  byId("banner-close").onclick = hideBanner;
  byId("banner").hidden = false;
}

export function hideBanner(): void {
  byId("banner").hidden = true;
}

interface Question {
  title: string;
  text: string;
  yes: string;
  no: string;
}

/** True if the person says yes. Questions are asked one after another. */
export function confirmed(question: Question): Promise<boolean> {
  return questions.take(() => ask(question));
}

function ask(question: Question): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("confirm");
  byId("confirm-title").textContent = question.title;
  byId("confirm-text").textContent = question.text;
  byId("confirm-yes").textContent = question.yes;
  byId("confirm-no").textContent = question.no;
  dialog.returnValue = "no";
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
