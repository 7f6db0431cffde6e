import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Width } from "../src/width";

const PART_BYTES = 5_000_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Send parts side by side for so many rounds; each takes what the line says for that many at once. */
function rounds(width: Width, count: number, millisecondsOf: (atOnce: number) => number): number[] {
  const limits: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const atOnce = width.limit;
    const milliseconds = millisecondsOf(atOnce);
    for (let part = 0; part < atOnce; part += 1) width.began();
    vi.advanceTimersByTime(milliseconds);
    for (let part = 0; part < atOnce; part += 1) {
      width.ended();
      width.stored(PART_BYTES, milliseconds);
    }
    limits.push(width.limit);
  }
  return limits;
}

test("a line that carries each part as fast as one alone is filled with six", () => {
  const limits = rounds(new Width(), 10, () => 1000);
  expect(limits.slice(0, 4)).toEqual([3, 4, 5, 6]);
  expect(Math.max(...limits)).toBe(6);
});

test("a line that is full gains nothing by one part more, and is asked again only after a while", () => {
  const limits = rounds(new Width(), 8, (atOnce) => 1000 * atOnce);
  expect(limits).toEqual([3, 2, 2, 2, 2, 2, 2, 2]);
});

test("a line that got faster is filled later", () => {
  const width = new Width();
  rounds(width, 8, (atOnce) => 1000 * atOnce);
  expect(rounds(width, 12, () => 1000).at(-1)).toBe(6);
});

test("parts that take too long leave the line to fewer", () => {
  expect(rounds(new Width(), 3, (atOnce) => 6000 * atOnce)).toEqual([1, 1, 1]);
});

test("a failure halves them, and one is always allowed", () => {
  const width = new Width();
  rounds(width, 10, () => 1000);
  const limits = [1, 2, 3].map(() => {
    width.failed();
    return width.limit;
  });
  expect(limits).toEqual([3, 1, 1]);
  expect(width.isOpen).toBe(true);
  width.began();
  expect(width.isOpen).toBe(false);
});
