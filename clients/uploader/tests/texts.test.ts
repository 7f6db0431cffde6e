import { expect, test } from "vitest";
import { Language } from "../src/language";
import { UPLOADER_TEXTS, uploaderLanguage } from "../src/uploader_texts";
import { checkTexts, proseIn } from "./text_checks";

const SOURCES = import.meta.glob<string>("../src/*.ts", { query: "?raw", import: "default", eager: true });

checkTexts(
  UPLOADER_TEXTS,
  Object.fromEntries(Object.entries(SOURCES).filter(([path]) => !path.endsWith("/contract.ts"))),
);

test.each([
  ['show("Try again");', ['"Try again"']],
  ["show(`The videos are left.`);", ["`The videos are left.`"]],
  ['show("Delete");', ['"Delete"']],
  ['/** "Try again" */ by("primary button"); headers["Content-Type"];', []],
  ['throw new TypeError("The upload has not begun.");', []],
])("%s: words in it are found", (source, found) => {
  expect(proseIn(source)).toEqual(found);
});

test.each([
  [["en-GB"], 1, "And one more."],
  [["en-GB"], 1200, "And 1,200 more."],
  [["de-DE"], 1, "Und eine weitere Datei."],
  [["de-DE"], 1200, "Und 1.200 weitere Dateien."],
  [["fr"], 2, "And 2 more."],
  [["no such tag!", "de"], 2, "Und 2 weitere Dateien."],
])("%j: %d takes its form and its digits", (wanted, count, text) => {
  expect(uploaderLanguage(wanted).text("message.more", { count })).toBe(text);
});

test("texts of the embedding page replace the uploader's, and the others stay", () => {
  const language = uploaderLanguage(["de"], { "drop.choose": "Filme auswählen" });
  expect(language.text("drop.choose")).toBe("Filme auswählen");
  expect(language.text("action.cancel")).toBe("Abbrechen");
});

test("a value is put in as it is, and one that is missing leaves nothing", () => {
  const language = new Language("en", { told: "{name}: {state}" });
  expect(language.text("told", { name: "$& {state}" })).toBe("$& {state}: ");
});

test("a key that nobody knows gives the other text", () => {
  const language = uploaderLanguage(["en"]);
  expect(language.textOr("error.constructor", "error.unknown")).toBe(language.text("error.unknown"));
});
