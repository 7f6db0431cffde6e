/** The files that the platform takes, as its contract tells them. */

import { type ContentType, VIDEO_TYPES } from "./contract";

const TYPES = Object.entries(VIDEO_TYPES) as [
  ContentType,
  { label: string; extensions: string[]; container: string },
][];

/** By the extension alone: browsers know few of these types themselves. */
export function contentType(fileName: string): ContentType | undefined {
  const extension = extensionOf(fileName);
  return TYPES.find(([, { extensions }]) => extensions.includes(extension))?.[0];
}

/** In small letters with its dot; "" where there is none. */
export function extensionOf(fileName: string): string {
  return /.(\.[^.]+)$/.exec(fileName.toLowerCase())?.[1] ?? "";
}

/** The `accept` attribute of a file input. A file of another kind can still be chosen, and is refused with a reason. */
export const ACCEPT = [...TYPES.flatMap(([, { extensions }]) => extensions), "video/*"].join();

/** The extensions of the videos in these containers. */
export function extensionsIn(containers: readonly string[]): string[] {
  return TYPES.flatMap(([, { extensions, container }]) => (containers.includes(container) ? extensions : []));
}

/** For people: "MP4, MOV or AVI" in their language. extensions: of those to name; all where it is not given. */
export function typeLabels(locale: string, extensions?: readonly string[]): string {
  const named = TYPES.filter(([, type]) => !extensions || type.extensions.some((each) => extensions.includes(each)));
  return new Intl.ListFormat(locale, { type: "disjunction" }).format(named.map(([, { label }]) => label));
}
