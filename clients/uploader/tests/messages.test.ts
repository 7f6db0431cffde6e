import { expect, test } from "vitest";
import { message } from "../src/messages";
import { UPLOADER_TEXTS, uploaderLanguage } from "../src/uploader_texts";

const ENGLISH = uploaderLanguage(["en"]);
const ERRORS = Object.keys(UPLOADER_TEXTS.en)
  .filter((key) => key.startsWith("error.") && key !== "error.no_problems")
  .map((key) => key.slice("error.".length));
const CASES = ["en", "de"].flatMap((locale) => ERRORS.map((code) => [locale, code] as const));

test.each(CASES)("%s: %s has words that end as sentences do and leave nothing to fill in", (locale, code) => {
  const shown = message({ code, details: { maxBytes: 1, problems: [] } }, uploaderLanguage([locale]));
  expect(shown).toMatch(/[.!?]$/);
  expect(shown).not.toMatch(/[{}]/);
});

test.each([
  undefined,
  null,
  "text",
  new Error("secret"),
  { code: "of no table" },
  { code: "constructor" },
  { code: "toString" },
])("%o is told as unknown, without its own words", (error) => {
  expect(message(error, ENGLISH)).toBe(ENGLISH.text("error.unknown"));
});

test("a file that is too large is told with the limit, where the API names it", () => {
  expect(message({ code: "file_too_large", details: { maxBytes: 5e9 } }, ENGLISH)).toContain("5.0 GB");
  expect(message({ code: "file_too_large" }, ENGLISH)).toBe(ENGLISH.text("error.file_too_large"));
});

test.each(["internal_error", "storage_forbidden", "made_up", "constructor"])(
  "%s is told with the request's id, for support to find it",
  (code) => {
    expect(message({ code, requestId: "r-1" }, ENGLISH)).toMatch(/\. If it happens again, .* ID r-1\.$/);
    expect(message({ code, requestId: "" }, ENGLISH)).not.toContain("ID");
  },
);

test("what a person can mend alone is told without an id", () => {
  expect(message({ code: "forbidden", requestId: "r-1" }, ENGLISH)).toBe(ENGLISH.text("error.forbidden"));
});

test("all problems of a request are told at once", () => {
  const problems = [
    { field: "fileName", problem: "is empty" },
    { field: "sizeBytes", problem: "must be 1 or more" },
  ];
  expect(message({ code: "invalid_request", details: { problems } }, ENGLISH)).toContain(
    "fileName is empty; sizeBytes must be 1 or more",
  );
});

test("a name that looks like a pattern of replacement stays as it is", () => {
  const problems = [{ field: "$&", problem: "$1" }];
  expect(message({ code: "invalid_request", details: { problems } }, ENGLISH)).toContain("$& $1");
});
