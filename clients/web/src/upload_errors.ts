/** What ends an upload on our side; `code` is one of messages.json. */
export class UploadError extends Error {
  constructor(
    readonly code: string,
    cause?: unknown,
  ) {
    super(code, { cause });
  }
}
