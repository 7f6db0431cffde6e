import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { VideoLooks } from "../src/video_looks";

let wanted: string[];
let looked: number[];
let looks: VideoLooks;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  wanted = ["video"];
  looked = [];
  looks = new VideoLooks(
    () => wanted,
    async () => {
      looked.push(Date.now());
    },
  );
});

afterEach(() => {
  looks.close();
  vi.useRealTimers();
});

test("a video is looked at after a second, then less and less often, every ten seconds at last", async () => {
  looks.soon();
  await vi.advanceTimersByTimeAsync(120_000);
  const pauses = looked.map((at, index) => at - (looked[index - 1] ?? 0));
  expect(pauses.slice(0, 3)).toEqual([1000, 1300, 1690]);
  expect(pauses.at(-1)).toBe(10_000);
  expect([...pauses].sort((one, other) => one - other)).toEqual(pauses);
});

test("something new makes the looks frequent again", async () => {
  looks.soon();
  await vi.advanceTimersByTimeAsync(60_000);
  looked = [];
  looks.soon();
  await vi.advanceTimersByTimeAsync(1000);
  expect(looked).toEqual([61_000]);
});

test("nothing is asked where no video is waited for, nor in a page that nobody sees", async () => {
  wanted = [];
  looks.soon();
  await vi.advanceTimersByTimeAsync(60_000);
  wanted = ["video"];
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  looks.soon();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looked).toEqual([]);
});

test("a page that is seen again looks at once a second later", async () => {
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(looked).toEqual([1000]);
});

test("a look that fails is followed by the next one", async () => {
  const failing = new VideoLooks(
    () => wanted,
    async () => {
      looked.push(Date.now());
      throw new Error("no line");
    },
  );
  failing.soon();
  await vi.advanceTimersByTimeAsync(2300);
  failing.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looked).toEqual([1000, 2300]);
});
