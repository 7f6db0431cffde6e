import { beforeEach, expect, test, vi } from "vitest";
import { UploadError } from "../src/upload_errors";
import { letGo, lock } from "../src/upload_lock";
import { VideoUpload } from "../src/video_upload";

type Held = { name: string } | null;

/** Locks as every tab of a browser shares them. */
class Locks {
  readonly #held = new Set<string>();

  async request(name: string, _options: { ifAvailable: true }, work: (held: Held) => Promise<void>): Promise<void> {
    if (this.#held.has(name)) return work(null);
    this.#held.add(name);
    await work({ name });
    this.#held.delete(name);
  }
}

beforeEach(() => {
  vi.stubGlobal("navigator", { locks: new Locks() });
});

test("one tab alone sends an upload, and another one after it", async () => {
  const unlock = await lock("upload-1");
  await expect(lock("upload-1")).rejects.toMatchObject({ code: "sent_elsewhere" });
  await expect(lock("upload-1")).rejects.toBeInstanceOf(UploadError);
  unlock();
  await vi.waitFor(() => lock("upload-1"));
});

test("uploads do not wait for each other", async () => {
  await lock("upload-1");
  await expect(lock("upload-2")).resolves.toBeInstanceOf(Function);
});

test("a browser without locks sends all the same", async () => {
  vi.stubGlobal("navigator", {});
  const unlock = await lock("upload-1");
  await lock("upload-1");
  unlock();
});

test("an upload is let go once", () => {
  const upload = new VideoUpload(new File(["film"], "film.mp4"), "video/mp4");
  const unlock = vi.fn();
  upload.unlock = unlock;
  letGo(upload);
  letGo(upload);
  expect(unlock).toHaveBeenCalledOnce();
});
