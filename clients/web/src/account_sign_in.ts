/**
 * Signing in to the account view, with an app client of its own.
 *
 * Its token can change the account and opens nothing of the API; the page's tokens, the reverse. It lives in memory
 * alone: a reload asks for the password again.
 */

import { InMemoryWebStorage, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { asSignInError, SignInError, type SiteConfig } from "./sign_in";

/** Path of account.html, and the callback URL of the account client. */
const PAGE = "account.html";
const SCOPES = ["openid", "aws.cognito.signin.user.admin"];

/** Reason for the sign-in. */
export type Purpose = "open" | "test";

export interface AccountSession {
  accessToken: string;
  purpose: Purpose;
}

export class AccountSignIn {
  readonly #users: UserManager;

  constructor(config: SiteConfig, clientId: string) {
    this.#users = new UserManager({
      authority: config.authority,
      client_id: clientId,
      redirect_uri: `${location.origin}/${PAGE}`,
      scope: SCOPES.join(" "),
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      automaticSilentRenew: false,
    });
  }

  /** Leave for the sign-in page, which asks for password and code even where the browser is signed in. */
  async start(purpose: Purpose): Promise<void> {
    try {
      await this.#users.signinRedirect({ prompt: "login", state: purpose });
    } catch (error) {
      throw new SignInError("sign_in_unreachable", error);
    }
  }

  /** The session that the sign-in page just sent back; null where this page was opened otherwise. */
  async finish(): Promise<AccountSession | null> {
    const query = new URLSearchParams(location.search);
    if (!query.has("code") && !query.has("error")) return null;
    const answer = location.href;
    history.replaceState(null, "", location.pathname);
    try {
      const { access_token: accessToken, state } = await this.#users.signinRedirectCallback(answer);
      return { accessToken, purpose: state === "test" ? "test" : "open" };
    } catch (error) {
      throw asSignInError(error, query);
    }
  }
}
