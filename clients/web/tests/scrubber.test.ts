import type { Thumbnails } from "video-uploader/contract";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { scrub, tileAtMoment } from "../src/scrubber";

const SHAPE: Thumbnails = { count: 4, columns: 4, tileWidth: 240, tileHeight: 136, secondsPerTile: 2.5 };

let root: HTMLElement;
let video: HTMLVideoElement;
let whileOpen: AbortController;

beforeEach(() => {
  vi.stubGlobal(
    "Image",
    class {
      src = "";
      decode = () => Promise.resolve();
    },
  );
  root = document.createElement("div");
  root.innerHTML =
    '<div id="player-scrub" hidden><span id="player-tile" hidden></span>' +
    '<input type="range" id="player-seek" min="0" max="1" step="any"></div>';
  video = document.createElement("video");
  root.append(video);
  document.body.append(root);
  Object.defineProperty(video, "duration", { value: 10, configurable: true });
  bar().getBoundingClientRect = () => new DOMRect(0, 0, 400, 20);
  whileOpen = new AbortController();
});

afterEach(() => {
  whileOpen.abort();
  root.remove();
});

function find(id: string): HTMLElement {
  return root.querySelector<HTMLElement>(`#${id}`) as HTMLElement;
}

function bar(): HTMLInputElement {
  return find("player-seek") as HTMLInputElement;
}

function tile(): string | null {
  const { hidden, dataset } = find("player-tile");
  return hidden ? null : `${dataset.tile} at ${dataset.time}`;
}

function open(): void {
  scrub(video, { shape: SHAPE, url: "https://s3.example.com/1", freshUrl: async () => null }, whileOpen.signal);
}

function drag(seconds: number): void {
  bar().value = `${seconds}`;
  bar().dispatchEvent(new Event("input"));
}

test.each([
  [0, 0],
  [2.4, 0],
  [2.5, 1],
  [9.9, 3],
  [60, 3],
])("second %d is thumbnail %d", (seconds, number) => {
  expect(tileAtMoment(seconds, SHAPE)).toBe(number);
});

test("without thumbnails there is no second bar", () => {
  scrub(video, null, whileOpen.signal);
  expect(find("player-scrub").hidden).toBe(true);
});

test("the bar follows the video and tells its moment", () => {
  open();
  video.currentTime = 5;
  video.dispatchEvent(new Event("timeupdate"));
  expect([bar().value, bar().max, bar().getAttribute("aria-valuetext")]).toEqual(["5", "10", "0:05 / 0:10"]);
});

test("a drag, also by a finger or a key, seeks and shows the moment's thumbnail until it ends", async () => {
  open();
  drag(6);
  expect(video.currentTime).toBe(6);
  await vi.waitFor(() => expect(tile()).toBe("2 at 0:06"));
  drag(9);
  expect(tile()).toBe("3 at 0:09");
  video.dispatchEvent(new Event("timeupdate"));
  expect(bar().value).toBe("9");
  bar().dispatchEvent(new Event("change"));
  expect(tile()).toBeNull();
});

test("a mouse that hovers sees the thumbnail and seeks nothing; a finger that passes sees none", async () => {
  open();
  drag(0);
  await vi.waitFor(() => expect(tile()).toBe("0 at 0:00"));
  bar().dispatchEvent(new Event("change"));
  bar().dispatchEvent(new PointerEvent("pointermove", { clientX: 300, pointerType: "touch" }));
  expect(tile()).toBeNull();
  bar().dispatchEvent(new PointerEvent("pointermove", { clientX: 300, pointerType: "mouse" }));
  expect(tile()).toBe("3 at 0:08");
  expect(video.currentTime).toBe(0);
  bar().dispatchEvent(new PointerEvent("pointerleave"));
  expect(tile()).toBeNull();
});

test("the next video's bar knows nothing of the one before", () => {
  open();
  whileOpen.abort();
  video.currentTime = 5;
  drag(9);
  expect(video.currentTime).toBe(5);
});
