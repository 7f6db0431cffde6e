import { beforeEach, expect, test, vi } from "vitest";

type Remembered = typeof import("../src/remembered_files");

const TYPE = "video/mp4";

function film(lastModified = 1): File {
  return new File(["film"], "film.mp4", { lastModified });
}

/** The module as a page has it that was just loaded. */
async function loaded(): Promise<Remembered> {
  vi.resetModules();
  return import("../src/remembered_files");
}

function forbidStorage(): void {
  const refuse = () => {
    throw new DOMException("storage is forbidden", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse, removeItem: refuse });
}

beforeEach(() => {
  localStorage.clear();
});

test("after a reload the same file is asked for under the same id", async () => {
  const before = await loaded();
  const id = before.correlationIdFor(film(), TYPE);
  before.rememberBeginning(film(), TYPE, id);
  const after = await loaded();
  expect(after.correlationIdFor(film(), TYPE)).toBe(id);
});

test("another version, another type and a file that was never asked for get ids of their own", async () => {
  const before = await loaded();
  const id = before.correlationIdFor(film(), TYPE);
  before.rememberBeginning(film(), TYPE, id);
  const after = await loaded();
  const others = [
    after.correlationIdFor(film(2), TYPE),
    after.correlationIdFor(film(), "video/quicktime"),
    after.correlationIdFor(new File(["other"], "other.mp4"), TYPE),
  ];
  expect(new Set([id, ...others]).size).toBe(4);
});

test("one file that is sent twice at once gets two ids", async () => {
  const { correlationIdFor, rememberBeginning } = await loaded();
  const first = correlationIdFor(film(), TYPE);
  rememberBeginning(film(), TYPE, first);
  expect(correlationIdFor(film(), TYPE)).not.toBe(first);
});

test("an upload that the API answered is not asked for again", async () => {
  const before = await loaded();
  const id = before.correlationIdFor(film(), TYPE);
  before.rememberBeginning(film(), TYPE, id);
  before.forgetBeginning(film(), TYPE);
  const after = await loaded();
  expect(after.correlationIdFor(film(), TYPE)).not.toBe(id);
});

test("a file that was changed since its upload began is noticed, on the browser that saw it begin", async () => {
  const { rememberFile, forgetFile, wasChanged } = await loaded();
  expect(wasChanged("video", film(2))).toBe(false);
  rememberFile("video", film(1));
  expect(wasChanged("video", film(1))).toBe(false);
  expect(wasChanged("video", film(2))).toBe(true);
  expect(wasChanged("another video", film(2))).toBe(false);
  forgetFile("video");
  expect(wasChanged("video", film(2))).toBe(false);
});

test("a browser that forbids the page to remember uploads all the same", async () => {
  forbidStorage();
  const { correlationIdFor, rememberBeginning, forgetBeginning, rememberFile, forgetFile, wasChanged } = await loaded();
  const id = correlationIdFor(film(), TYPE);
  rememberBeginning(film(), TYPE, id);
  forgetBeginning(film(), TYPE);
  rememberFile("video", film());
  expect(wasChanged("video", film())).toBe(false);
  forgetFile("video");
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
});
