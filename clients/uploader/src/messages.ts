/** Every error code of the API, of the sign-in and of the page itself, in words that say what to do. */

import type { Details } from "./api";
import { size } from "./format";
import texts from "./messages.json";

const TEXTS: Record<string, string> = texts;

/** Anything caught; errors with a `code` get its words. */
export function message(error: unknown): string {
  const { code = "", details = {} } = (error ?? {}) as { code?: string; details?: Details };
  const known = code === "file_too_large" && typeof details.maxBytes === "number" ? "file_over_limit" : code;
  const text = Object.hasOwn(TEXTS, known) ? TEXTS[known] : undefined;
  return (text ?? texts.unknown)
    .replace("{maxBytes}", () => size(Number(details.maxBytes)))
    .replace("{problems}", () => problems(details));
}

function problems({ problems }: Details): string {
  if (!Array.isArray(problems) || problems.length === 0) return "the request is not valid";
  return problems.map((each: { field: string; problem: string }) => `${each.field} ${each.problem}`).join("; ");
}
