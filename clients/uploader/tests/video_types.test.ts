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
  expect(ACCEPT).toBe(".mp4,.m4v,.mov,.mkv,.webm,.avi,.3gp,.3gpp,.3g2,.mts,.m2ts,.ts,.mpg,.mpeg,.ogv,.ogg,video/*");
  expect(typeLabels("en-GB")).toBe("MP4, MOV, MKV, WebM, AVI, 3GP, 3G2, MTS, MPEG or Ogg");
  expect(typeLabels("de")).toBe("MP4, MOV, MKV, WebM, AVI, 3GP, 3G2, MTS, MPEG oder Ogg");
  expect(typeLabels("en", [".mov", ".mp4"])).toBe("MP4 or MOV");
});

test("a stage's containers are offered by all their extensions", () => {
  expect(extensionsIn(["mp4", "3gpp", "new"])).toEqual([".mp4", ".m4v", ".3gp", ".3gpp", ".3g2"]);
});
