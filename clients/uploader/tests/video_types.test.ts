import { expect, test } from "vitest";
import { VIDEO_TYPES } from "../src/contract";
import { ACCEPT, contentType, extensionsIn, typeLabels } from "../src/video_types";

test("every extension of the contract is taken, in small letters and capitals", () => {
  for (const [type, { extensions }] of Object.entries(VIDEO_TYPES)) {
    for (const extension of extensions) {
      expect(contentType(`holiday.2026${extension}`)).toBe(type);
      expect(contentType(`HOLIDAY${extension.toUpperCase()}`)).toBe(type);
    }
  }
});

const NAMES = ["holiday.txt", "holiday", "mp4", ".mp4", "holiday.mp4.exe", "", "toString", "x.constructor"];

test.each(NAMES)("%j has no type", (name) => {
  expect(contentType(name)).toBeUndefined();
});

test("the file input offers the accepted extensions, and people read what they are", () => {
  expect(ACCEPT).toMatch(/^\.mp4,\.m4v,\.mov,\.mkv,\.webm,(\.[a-z0-9]+,)+video\/\*$/);
  expect(typeLabels("en-GB")).toMatch(/^MP4, MOV, MKV, WebM, [A-Za-z0-9, ]+ or [A-Za-z0-9]+$/);
  expect(typeLabels("de")).toMatch(/^MP4, MOV, MKV, WebM, [A-Za-z0-9, ]+ oder [A-Za-z0-9]+$/);
  expect(typeLabels("en", [".mov", ".mp4"])).toBe("MP4 or MOV");
});

test("a stage's containers are offered by all their extensions", () => {
  expect(extensionsIn(["mp4", "3gpp", "new"])).toEqual([".mp4", ".m4v", ".3gp", ".3gpp", ".3g2"]);
});
