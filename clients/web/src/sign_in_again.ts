/** The way back after a session that ended: beside the uploads, never instead of them. */

import type { VideoUploader } from "video-uploader/video_uploader";
import { language, message } from "./language";
import { byId, hideBanner, showBanner } from "./page";
import type { SignIn } from "./sign_in";

export function offerToSignInAgain(signIn: SignIn, uploader: VideoUploader): void {
  const button = byId("sign-in-again");
  const label = language.text("session.sign_in_again");
  const offer = (text: string) => showBanner(text, { label, run });

  function run(): void {
    const failed = (error: unknown) => offer(message(error));
    // A redirect would end the uploads.
    if (!uploader.isNeeded) return void signIn.start().catch(failed);
    signIn.startAgain().catch(failed);
    offer(language.text("session.other_window"));
  }

  button.textContent = label;
  button.onclick = run;
  signIn.addEventListener("ended", () => {
    uploader.isSignedIn = false;
    button.hidden = false;
    // Uploads that have begun go on: their own tokens outlive the session.
    offer(language.text("session.ended"));
  });
  signIn.addEventListener("resumed", () => {
    uploader.isSignedIn = true;
    button.hidden = true;
    hideBanner();
  });
}
