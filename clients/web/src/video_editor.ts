/** The dialog in which a person gives a video a title, a description and tags. */

import type { Video, VideoChanges } from "video-uploader/api";
import { language, message } from "./language";
import { byId } from "./page";

/** Limits from docs/openapi.json. */
const MOST_TAGS = 20;
const MOST_TAG_CHARS = 32;

/** Open the dialog; it closes once `save` has succeeded, or by the person's wish. */
export function edit(video: Video, save: (changes: VideoChanges) => Promise<unknown>): void {
  const dialog = byId<HTMLDialogElement>("editor");
  const title = byId<HTMLInputElement>("editor-title");
  const description = byId<HTMLTextAreaElement>("editor-description");
  const tags = byId<HTMLInputElement>("editor-tags");
  const problem = byId("editor-problem");
  const saveButton = byId<HTMLButtonElement>("editor-save");
  const tell = (text: string) => {
    problem.textContent = text;
    problem.hidden = text === "";
  };
  byId("editor-heading").textContent = language.text("edit.heading", { name: video.title || video.fileName });
  title.value = video.title ?? "";
  title.placeholder = video.fileName;
  description.value = video.description ?? "";
  tags.value = (video.tags ?? []).join(", ");
  tell("");
  byId("editor-cancel").onclick = () => dialog.close();
  byId<HTMLFormElement>("editor-form").onsubmit = async (event) => {
    event.preventDefault();
    const given = tagsIn(tags.value);
    if (given.length > MOST_TAGS || given.some((tag) => [...tag].length > MOST_TAG_CHARS)) {
      tell(language.text("edit.tags.too_many", { count: MOST_TAGS, chars: MOST_TAG_CHARS }));
      tags.focus();
      return;
    }
    saveButton.disabled = true;
    try {
      await save({ title: title.value.trim() || null, description: description.value.trim() || null, tags: given });
      dialog.close();
    } catch (error) {
      tell(message(error));
    } finally {
      saveButton.disabled = false;
    }
  };
  dialog.showModal();
  title.focus();
}

/** Tags of a text with commas between them. */
export function tagsIn(text: string): string[] {
  return text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}
