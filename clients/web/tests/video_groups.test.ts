import { describe, expect, test } from "vitest";
import { dateHeading } from "../src/video_groups";

const NOW = new Date(2026, 2, 10, 0, 5);

describe("the heading of a date", () => {
  test.each([
    ["Today", new Date(2026, 2, 10, 0, 0)],
    ["Today", new Date(2026, 2, 11, 9, 0)], // a clock that is ahead
    ["Yesterday", new Date(2026, 2, 9, 23, 59)],
    ["Yesterday", new Date(2026, 2, 9, 0, 0)],
    ["Last 7 days", new Date(2026, 2, 8, 23, 59)],
    ["Last 7 days", new Date(2026, 2, 4, 0, 0)],
    ["March 2026", new Date(2026, 2, 3, 23, 59)],
    ["December 2025", new Date(2025, 11, 31, 12, 0)],
  ])("%s for %s", (heading, date) => {
    expect(dateHeading(date, NOW)).toBe(heading);
  });
});
