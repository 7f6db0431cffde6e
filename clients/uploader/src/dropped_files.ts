/** Files that a person drops, pastes or picks, those inside folders included. */

import { noteDroppedHandles } from "./file_handles";
import { contentType } from "./video_types";

export interface Gathered {
  files: File[];
  /** files inside folders that are no videos */
  skippedCount: number;
}

/** Take what is dropped on an area, and tell whether something hovers over it. failed: a file cannot be read. */
export function acceptDrops(
  area: Document | HTMLElement,
  {
    over,
    dropped,
    failed,
    signal,
  }: { over: (isOver: boolean) => void; dropped: (found: Gathered) => void; failed: () => void; signal: AbortSignal },
): void {
  const on = (name: "dragover" | "dragleave" | "drop", run: (event: DragEvent) => void) =>
    area.addEventListener(name, (event: Event) => run(event as DragEvent), { signal });
  const carriesFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files");
  on("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over(true);
  });
  on("dragleave", ({ relatedTarget }) => {
    const isInside = area === document ? relatedTarget !== null : area.contains(relatedTarget as Node | null);
    if (!isInside) over(false);
  });
  on("drop", (event) => {
    if (!carriesFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    over(false);
    droppedFiles(event.dataTransfer).then(dropped).catch(failed);
  });
}

/** Take files that are pasted into an area; pasted text is the page's own. */
export function acceptPastes(area: Document | HTMLElement, pasted: (files: File[]) => void, signal: AbortSignal): void {
  const listener = (event: Event) => {
    const files = [...((event as ClipboardEvent).clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    pasted(files);
  };
  area.addEventListener("paste", listener, { signal });
}

/** Everything in a drop. To be called within the event: afterwards the browser forgets what was dropped. */
export async function droppedFiles(dropped: DataTransfer): Promise<Gathered> {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry());
  const flat = [...dropped.files];
  await noteDroppedHandles(dropped);
  if (!entries.some((entry) => entry?.isDirectory)) return { files: flat, skippedCount: 0 };
  const gathered: Gathered = { files: [], skippedCount: 0 };
  for (const entry of entries) {
    if (entry?.isFile) gathered.files.push(await fileOf(entry as FileSystemFileEntry));
    else if (entry) await gather(entry as FileSystemDirectoryEntry, gathered);
  }
  return gathered;
}

/** The videos among the files of a folder. */
export function videosIn(files: Iterable<File>): Gathered {
  const all = [...files];
  const videos = all.filter(({ name }) => isVideo(name));
  return { files: videos, skippedCount: all.length - videos.length };
}

async function gather(folder: FileSystemDirectoryEntry, gathered: Gathered): Promise<void> {
  const reader = folder.createReader();
  for (;;) {
    // A reader gives a part of the entries at a time, and in the end none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const entry of some) {
      if (entry.isDirectory) await gather(entry as FileSystemDirectoryEntry, gathered);
      else if (isVideo(entry.name)) gathered.files.push(await fileOf(entry as FileSystemFileEntry));
      else gathered.skippedCount += 1;
    }
  }
}

/** "._holiday.mp4" is a note of macOS about a file on a foreign disk. */
function isVideo(name: string): boolean {
  return !name.startsWith(".") && contentType(name) !== undefined;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
