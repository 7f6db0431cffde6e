/** Errors that end an upload, and errors that a retry may overcome. */

import { ApiError, CAPS } from "./api";
import { PutError } from "./part_put";

/** An error on our side that ends an upload; its text is "error.CODE". */
export class UploadError extends Error {
  constructor(
    readonly code: string,
    cause?: unknown,
  ) {
    super(code, { cause });
  }
}

/** Nobody can go on with such an upload. */
export const GONE: ReadonlySet<string> = new Set(["upload_aborted", "upload_expired", "upload_not_found"]);

/** Nothing is left to send to such an upload. */
export const COMPLETED_MEANWHILE: ReadonlySet<string> = new Set(["upload_completed", "upload_completing"]);

/** True if no answer came: the line may be dead. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof ApiError || error instanceof PutError) return error.status === 0;
  return codeOf(error) === "sign_in_unreachable";
}

/** True if the same call may succeed later. */
export function isTransient(error: unknown): boolean {
  if (isUnanswered(error)) return true;
  if (!(error instanceof ApiError || error instanceof PutError)) return false;
  const { status } = error;
  return status === 408 || status >= 500 || (status === 429 && !CAPS.has(codeOf(error)));
}

/** Delay that the server asks for; 0 if it asks for none. */
export function retryAfterMs(error: unknown): number {
  return error instanceof ApiError || error instanceof PutError ? error.retryAfterMs : 0;
}

export function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? "";
}
