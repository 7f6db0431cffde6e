import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backOffMs, pause } from "../src/waiting";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  [0, 500],
  [1, 1000],
  [4, 8000],
  [5, 15_000],
  [1000, 15_000],
])("attempt %d waits for half to all of %d ms", (attempt, longest) => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  expect(backOffMs(attempt)).toBe(longest / 2);
  vi.spyOn(Math, "random").mockReturnValue(0.999999);
  expect(backOffMs(attempt)).toBeCloseTo(longest, -1);
});

test("a pause lasts as long as it was asked to", async () => {
  const done = vi.fn();
  pause(1000).then(done);
  await vi.advanceTimersByTimeAsync(999);
  expect(done).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toHaveBeenCalledOnce();
});

test("a pause ends when the line comes back", async () => {
  const paused = pause(60_000);
  window.dispatchEvent(new Event("online"));
  await paused;
  expect(vi.getTimerCount()).toBe(0);
});

test("a pause that is called off rejects with the reason, during the pause and before it", async () => {
  const control = new AbortController();
  const paused = expect(pause(60_000, control.signal)).rejects.toBe("given up");
  control.abort("given up");
  await paused;
  await expect(pause(60_000, control.signal)).rejects.toBe("given up");
  expect(vi.getTimerCount()).toBe(0);
});

test("a pause that is over listens no more", async () => {
  const removed = vi.spyOn(window, "removeEventListener");
  const signal = new AbortController().signal;
  const forgotten = vi.spyOn(signal, "removeEventListener");
  const paused = pause(10, signal);
  await vi.advanceTimersByTimeAsync(10);
  await paused;
  expect(removed).toHaveBeenCalledWith("online", expect.any(Function));
  expect(forgotten).toHaveBeenCalledWith("abort", expect.any(Function));
});
