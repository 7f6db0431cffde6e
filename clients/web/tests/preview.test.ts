import type { Thumbnails } from "video-uploader/contract";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Preview, tileAt, tileStyle } from "../src/preview";

const SHAPE: Thumbnails = { count: 6, columns: 4, tileWidth: 240, tileHeight: 136, secondsPerTile: 1.5 };
const WIDTH = 600;

let poster: HTMLButtonElement;
let asked: string[];
let ended: Set<string>;

beforeEach(() => {
  asked = [];
  ended = new Set();
  vi.stubGlobal(
    "Image",
    class {
      src = "";
      decode() {
        asked.push(this.src);
        return ended.has(this.src) ? Promise.reject(new Error("403")) : Promise.resolve();
      }
    },
  );
  poster = document.createElement("button");
  poster.innerHTML = '<span class="preview" hidden></span>';
  poster.getBoundingClientRect = () => new DOMRect(100, 0, WIDTH, 340);
  document.body.append(poster);
});

afterEach(() => {
  vi.useRealTimers();
  poster.remove();
});

function move(part: number, pointerType = "mouse"): void {
  poster.dispatchEvent(new PointerEvent("pointermove", { clientX: 100 + part * WIDTH, pointerType }));
}

function shown(): string | null {
  const box = poster.querySelector<HTMLElement>(".preview");
  return box?.hidden ? null : (box?.querySelector("span")?.dataset.tile ?? null);
}

test.each([
  [-0.1, 0],
  [0, 0],
  [0.49, 2],
  [0.5, 3],
  [1, 5],
  [1.2, 5],
])("%d of the width is thumbnail %d of six", (part, number) => {
  expect(tileAt(part, 6)).toBe(number);
});

test.each([
  [{ count: 6, columns: 4 }, 0, "400% 200%", "0% 0%"],
  [{ count: 6, columns: 3 }, 4, "300% 200%", "50% 100%"],
  [{ count: 3, columns: 4 }, 2, "300% 100%", "100% 0%"],
  [{ count: 1, columns: 4 }, 0, "100% 100%", "0% 0%"],
])("%o: thumbnail %d lies in a picture of %s at %s", (shape, number, backgroundSize, backgroundPosition) => {
  expect(tileStyle({ ...SHAPE, ...shape }, number)).toMatchObject({ backgroundSize, backgroundPosition });
});

test("a wide video fills the poster's width, a tall one its height", () => {
  expect(tileStyle({ ...SHAPE, tileWidth: 240, tileHeight: 100 }, 0)).toMatchObject({ width: "100%", height: "auto" });
  expect(tileStyle({ ...SHAPE, tileWidth: 136, tileHeight: 240 }, 0)).toMatchObject({ width: "auto", height: "100%" });
});

test("the pointer shows its thumbnail, and the picture is asked for once, when it is needed", async () => {
  const preview = new Preview(poster, async () => null);
  preview.draw(SHAPE, "https://s3.example.com/1");
  expect(asked).toEqual([]);
  move(0.9);
  await vi.waitFor(() => expect(shown()).toBe("5"));
  move(0.1);
  await vi.waitFor(() => expect(shown()).toBe("0"));
  expect(asked).toEqual(["https://s3.example.com/1"]);
  poster.dispatchEvent(new PointerEvent("pointerleave"));
  expect(shown()).toBeNull();
});

test("a finger that scrolls, and a video without thumbnails, show none", async () => {
  const preview = new Preview(poster, async () => null);
  preview.draw(SHAPE, "https://s3.example.com/1");
  move(0.5, "touch");
  preview.draw(null, "https://s3.example.com/1");
  move(0.5);
  preview.draw(SHAPE, null);
  move(0.5);
  await Promise.resolve();
  expect([asked, shown()]).toEqual([[], null]);
});

test("where the URL has ended a fresh one is asked for, and without one the poster stays", async () => {
  ended.add("https://s3.example.com/old");
  const fresh = vi.fn(async () => "https://s3.example.com/new");
  new Preview(poster, fresh).draw(SHAPE, "https://s3.example.com/old");
  move(0.5);
  await vi.waitFor(() => expect(shown()).toBe("3"));
  expect(fresh).toHaveBeenCalledTimes(1);
  poster.innerHTML = '<span class="preview" hidden></span>';
  new Preview(poster, () => Promise.reject(new Error("offline"))).draw(SHAPE, "https://s3.example.com/old");
  move(0.5);
  await new Promise((resolve) => setTimeout(resolve));
  expect(shown()).toBeNull();
});

test("under the keyboard one follows the other, unless less motion is wanted", async () => {
  vi.useFakeTimers();
  const preview = new Preview(poster, async () => null);
  preview.draw(SHAPE, "https://s3.example.com/1");
  vi.spyOn(poster, "matches").mockReturnValue(true);
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  poster.dispatchEvent(new FocusEvent("focus"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown()).toBeNull();
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  poster.dispatchEvent(new FocusEvent("focus"));
  await vi.advanceTimersByTimeAsync(0);
  expect(shown()).toBe("0");
  await vi.advanceTimersByTimeAsync(600);
  expect(shown()).toBe("1");
  await vi.advanceTimersByTimeAsync(600 * 5);
  expect(shown()).toBe("0");
  poster.dispatchEvent(new FocusEvent("blur"));
  await vi.advanceTimersByTimeAsync(2000);
  expect(shown()).toBeNull();
});
