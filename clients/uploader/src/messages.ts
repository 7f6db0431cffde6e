/** Every error code of the API and of the clients, in words that say what to do: the texts "error.CODE". */

import type { Details } from "./api";
import { size } from "./format";
import type { UploaderLanguage } from "./uploader_texts";
import { typeLabels } from "./video_types";

interface Caught {
  code?: string;
  details?: Details;
  requestId?: string;
}

/** Support has to look into these; so it has into those of which there are no words. */
const UNEXPECTED: ReadonlySet<string> = new Set(["internal_error", "storage_forbidden"]);

/** Anything caught; errors with a `code` get its words. types: labels of the accepted files. */
export function message(
  error: unknown,
  language: UploaderLanguage,
  types: string = typeLabels(language.locale),
): string {
  const { code = "", details = {}, requestId } = (error ?? {}) as Caught;
  const known = code === "file_too_large" && typeof details.maxBytes === "number" ? "file_over_limit" : code;
  const words = language.textOr(`error.${known}`, "error.unknown", {
    types,
    ...plain(details),
    maxBytes: size(Number(details.maxBytes ?? 0), language),
    maxStored: size(figure(details.maxStoredBytes), language),
    free: size(free(details), language),
    problems: problems(details, language),
  });
  const isExpected = !UNEXPECTED.has(code) && words !== language.text("error.unknown");
  return isExpected || !requestId ? words : language.text("message.for_support", { message: words, requestId });
}

function figure(detail: unknown): number {
  return typeof detail === "number" ? detail : 0;
}

/** Free space for stored videos; 0 where a lowered limit is exceeded. */
function free({ maxStoredBytes, storedBytes, reservedBytes }: Details): number {
  return Math.max(0, figure(maxStoredBytes) - figure(storedBytes) - figure(reservedBytes));
}

function plain(details: Details): Record<string, string | number> {
  const isPlain = (entry: [string, unknown]): entry is [string, string | number] =>
    typeof entry[1] === "string" || typeof entry[1] === "number";
  return Object.fromEntries(Object.entries(details).filter(isPlain));
}

function problems({ problems }: Details, language: UploaderLanguage): string {
  if (!Array.isArray(problems) || problems.length === 0) return language.text("error.no_problems");
  return problems.map((each: { field: string; problem: string }) => `${each.field} ${each.problem}`).join("; ");
}
