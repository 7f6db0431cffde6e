/** What ends an upload, and what another try may bring through. */

import { ApiError, CAPS } from "./api";
import { PutError } from "./part_put";

/** What ends an upload on our side; the text "error.CODE" tells it. */
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

/** Whether no answer came: the line may be dead. */
export function isUnanswered(error: unknown): boolean {
  if (error instanceof ApiError || error instanceof PutError) return error.status === 0;
  return codeOf(error) === "sign_in_unreachable";
}

/** Whether the same call may succeed later. */
export function isTransient(error: unknown): boolean {
  if (isUnanswered(error)) return true;
  if (!(error instanceof ApiError || error instanceof PutError)) return false;
  const { status } = error;
  return status === 408 || status >= 500 || (status === 429 && !CAPS.has(codeOf(error)));
}

/** As the server asks; 0 where it does not. */
export function retryAfterMs(error: unknown): number {
  return error instanceof ApiError || error instanceof PutError ? error.retryAfterMs : 0;
}

export function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? "";
}
