import { expect, test } from "vitest";
import { droppedFiles, videosIn } from "../src/dropped_files";

type Tree = { [name: string]: Tree | null };

function entry(name: string, tree: Tree | null): FileSystemEntry {
  if (tree === null) {
    const file = (resolve: (file: File) => void) => resolve(new File(["x"], name));
    return { name, isFile: true, isDirectory: false, file } as unknown as FileSystemEntry;
  }
  const batches = Object.entries(tree).map((each) => [entry(...each)]); // as browsers do: some at a time
  const readEntries = (resolve: (some: FileSystemEntry[]) => void) => resolve(batches.shift() ?? []);
  return {
    name,
    isFile: false,
    isDirectory: true,
    createReader: () => ({ readEntries }),
  } as unknown as FileSystemEntry;
}

function dropOf(tree: Tree): DataTransfer {
  const entries = Object.entries(tree).map((each) => entry(...each));
  const files = Object.keys(tree).map((name) => new File(["x"], name));
  return { items: entries.map((each) => ({ webkitGetAsEntry: () => each })), files } as unknown as DataTransfer;
}

function names(files: File[]): string[] {
  return files.map(({ name }) => name);
}

test("a dropped folder gives its videos at every depth, and tells how many files are none", async () => {
  const tree = { camera: { "a.mp4": null, "notes.txt": null, trip: { "b.mov": null, ".b.mov": null } }, "c.mkv": null };
  const { files, skippedCount } = await droppedFiles(dropOf(tree));
  expect(names(files)).toEqual(["a.mp4", "b.mov", "c.mkv"]);
  expect(skippedCount).toBe(2);
});

test("a file that is dropped itself is never left out in silence", async () => {
  const { files, skippedCount } = await droppedFiles(dropOf({ "notes.txt": null, "a.mp4": null }));
  expect(names(files)).toEqual(["notes.txt", "a.mp4"]);
  expect(skippedCount).toBe(0);
});

test("an empty folder gives nothing", async () => {
  expect(await droppedFiles(dropOf({ camera: {} }))).toEqual({ files: [], skippedCount: 0 });
});

test("of a chosen folder the videos are taken", () => {
  const { files, skippedCount } = videosIn([new File(["x"], "a.mp4"), new File(["x"], "a.srt")]);
  expect(names(files)).toEqual(["a.mp4"]);
  expect(skippedCount).toBe(1);
});
