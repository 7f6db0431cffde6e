// Uppy with S3 multipart as its documentation sets it up: every request is presigned by the page's own server.
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";

globalThis.outcome = { done: 0, failed: 0 };
const uppy = new Uppy({ autoProceed: true });
uppy.use(AwsS3, {
  shouldUseMultipart: true,
  async signRequest(request) {
    const response = await fetch("/sign", { method: "POST", body: JSON.stringify(request) });
    return response.json();
  },
});
uppy.on("upload-success", () => {
  globalThis.outcome.done += 1;
});
uppy.on("upload-error", () => {
  globalThis.outcome.failed += 1;
});
document.querySelector("input").addEventListener("change", ({ target }) => {
  uppy.addFiles([...target.files].map((file) => ({ name: file.name, type: file.type, data: file })));
});
