/** The end of a sign-in in a window of its own: hand the answer to the page that waits for it, and close. */

import { UserManager } from "oidc-client-ts";
import { speak } from "./page";

speak("signed_in.page");

// The page that waits knows authority and client; handing over needs neither.
const users = new UserManager({ authority: "", client_id: "", redirect_uri: "" });
const answer = location.href;
history.replaceState(null, "", location.pathname);
users.signinPopupCallback(answer).catch(() => {}); // nobody waits for such an answer
