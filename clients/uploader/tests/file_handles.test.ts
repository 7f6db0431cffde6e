import { expect, test, vi } from "vitest";
import { handleOf, noteDroppedHandles, pickedFiles, reopened } from "../src/file_handles";

const film = new File(["film"], "film.mp4");

function handle(file: File, permission: PermissionState = "granted") {
  const ask = async () => permission;
  return { kind: "file", name: file.name, getFile: async () => file, queryPermission: ask, requestPermission: ask };
}

function dropped(file: File, getAsFileSystemHandle?: () => Promise<unknown>): DataTransfer {
  return { files: [file], items: [{ kind: "string" }, { kind: "file", getAsFileSystemHandle }] } as never;
}

test("the handle of a dropped file is known", async () => {
  const given = handle(film);
  await noteDroppedHandles(dropped(film, async () => given));
  expect(handleOf(film)).toBe(given);
});

test.each([
  ["gives none", undefined],
  ["gives null", async () => null],
  ["refuses", () => Promise.reject(new Error("no"))],
  ["gives a folder's", async () => ({ kind: "directory", name: "film.mp4" })],
])("no handle is known of a file for which the browser %s", async (_, give) => {
  const other = new File(["other"], "film.mp4");
  await noteDroppedHandles(dropped(other, give));
  expect(handleOf(other)).toBeUndefined();
});

test("a file is opened again with the person's permission alone", async () => {
  expect(await reopened(handle(film) as never)).toBe(film);
  expect(await reopened(handle(film, "denied") as never)).toBeNull();
});

test("a chooser that is closed gives no file, one that is not allowed leaves it to an input", async () => {
  const picker = vi.fn();
  vi.stubGlobal("showOpenFilePicker", picker);
  picker.mockRejectedValueOnce(new DOMException("closed", "AbortError"));
  expect(await pickedFiles([".mp4"], true)).toEqual([]);
  picker.mockRejectedValueOnce(new DOMException("in a frame", "SecurityError"));
  expect(await pickedFiles([".mp4"], true)).toBeNull();
  picker.mockResolvedValueOnce([handle(film)]);
  expect(await pickedFiles([".mp4"], true)).toEqual([film]);
});
