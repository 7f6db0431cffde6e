/** The files that the platform takes, as its contract tells them. */

import { type ContentType, VIDEO_TYPES } from "./contract";

const TYPES = Object.entries(VIDEO_TYPES) as [ContentType, { label: string; extensions: string[] }][];

/** By the extension alone: browsers know few of these types themselves. */
export function contentType(fileName: string): ContentType | undefined {
  const extension = /.(\.[^.]+)$/.exec(fileName.toLowerCase())?.[1] ?? "";
  return TYPES.find(([, { extensions }]) => extensions.includes(extension))?.[0];
}

/** The `accept` attribute of a file input. A file of another kind can still be chosen, and is refused with a reason. */
export const ACCEPT = [...TYPES.flatMap(([, { extensions }]) => extensions), "video/*"].join();

/** For people. */
export const LABELS = new Intl.ListFormat("en-GB", { type: "disjunction" }).format(TYPES.map(([, { label }]) => label));
