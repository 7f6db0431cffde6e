import { expect, test } from "vitest";
import { date, day, duration, size, timeLeft } from "../src/format";
import { uploaderLanguage } from "../src/uploader_texts";

const ENGLISH = uploaderLanguage(["en-GB"]);
const GERMAN = uploaderLanguage(["de"]);

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [23_100_000, "23.1 MB"],
  [99_949, "99.9 kB"],
  [123_456, "123 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [5 * 2 ** 30, "5.4 GB"],
  [48.8 * 2 ** 40, "53.7 TB"],
  [1e15, "1000 TB"],
])("%d bytes read as %s", (bytes, text) => {
  expect(size(bytes, ENGLISH)).toBe(text);
});

test.each([
  [null, ""],
  [-1, "0:00"],
  [0, "0:00"],
  [59.4, "0:59"],
  [59.5, "1:00"],
  [61, "1:01"],
  [3599, "59:59"],
  [3723, "1:02:03"],
  [36_000, "10:00:00"],
])("%d seconds play as %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0, "1 s left"],
  [59, "59 s left"],
  [60, "about 1 min left"],
  [200, "about 3 min left"],
  [5399, "about 90 min left"],
  [5400, "about 2 h left"],
  [36_000, "about 10 h left"],
])("%d seconds are told as %s", (seconds, text) => {
  expect(timeLeft(seconds, ENGLISH)).toBe(text);
});

test("a moment is told with its day, and with its time where that is wanted", () => {
  const moment = "2026-11-22T15:04:00Z";
  expect(day(moment, ENGLISH)).toContain("2026");
  expect(date(moment, ENGLISH)).toContain(day(moment, ENGLISH));
  expect(date(moment, ENGLISH)).toMatch(/:04/);
});

test("numbers, times and dates follow the language", () => {
  expect(size(23_100_000, GERMAN)).toBe("23,1 MB");
  expect(timeLeft(200, GERMAN)).toBe("noch etwa 3 Min.");
  expect(day("2026-11-22T15:04:00Z", GERMAN)).toBe("22.11.2026");
});
