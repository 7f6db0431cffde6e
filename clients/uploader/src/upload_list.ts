/** The rows of the uploads, in the order in which the files came. */

import { isElsewhere, isRemovable } from "./upload_ends";
import { UploadRow } from "./upload_row";
import type { Uploads } from "./uploads";
import type { VideoUpload } from "./video_upload";
import type { View } from "./view";

export class UploadList {
  readonly #view: View;
  readonly #uploads: Uploads;
  readonly #rows = new Map<VideoUpload, UploadRow>();

  constructor(view: View, uploads: Uploads) {
    this.#view = view;
    this.#uploads = uploads;
  }

  add(upload: VideoUpload): void {
    const row = new UploadRow(upload, this.#view, {
      toggle: () => this.#uploads.toggle(upload),
      cancel: () => void this.#cancel(upload),
    });
    this.#rows.set(upload, row);
    this.#view.uploads.append(row.element);
  }

  remove(upload: VideoUpload): void {
    const row = this.#rows.get(upload);
    if (!row) return;
    this.#rows.delete(upload);
    const hadFocus = row.element.contains(this.#view.root.activeElement);
    row.element.remove();
    if (hadFocus) this.#view.picker.focus();
  }

  /** Write all rows, in the view's language. */
  draw(): void {
    for (const row of this.#rows.values()) row.draw();
  }

  async #cancel(upload: VideoUpload): Promise<void> {
    if (isRemovable(upload)) {
      this.#uploads.remove(upload);
      if (isElsewhere(upload)) this.#uploads.showUnfinishedAgain();
      return;
    }
    const { language } = this.#view;
    const sure = await this.#view.confirmed({
      title: language.text("cancel.title", { name: upload.file.name }),
      text: language.text("cancel.text"),
      yes: language.text("cancel.yes"),
      no: language.text("cancel.no"),
    });
    if (sure) await this.#uploads.cancel(upload);
  }
}
