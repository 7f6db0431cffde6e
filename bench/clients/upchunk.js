// UpChunk with its defaults, one upload a file.
import { createUpload } from "@mux/upchunk";

globalThis.outcome = { done: 0, failed: 0 };
document.querySelector("input").addEventListener("change", ({ target }) => {
  for (const file of target.files) {
    const upload = createUpload({ endpoint: `/resumable/${crypto.randomUUID()}`, file });
    upload.on("success", () => {
      globalThis.outcome.done += 1;
    });
    upload.on("error", () => {
      globalThis.outcome.failed += 1;
    });
  }
});
