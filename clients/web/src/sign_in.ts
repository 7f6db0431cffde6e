/**
 * Signing in with OAuth code + PKCE at the hosted sign-in that /config.json names.
 *
 * Tokens live in sessionStorage: they end with the tab and are never shared with another one. They are renewed when they
 * are needed, not by a timer, which sleeps with the machine.
 */

import { ErrorResponse, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";

export interface SiteConfig {
  /** issuer of the tokens */
  authority: string;
  webClientId: string;
  scopes: string[];
  logoutUrl: string;
  /** absolute, or relative to the site */
  apiUrl: string;
  /** whether its operators would like to hear how uploads go */
  tellProgress?: boolean;
}

const RENEW_BEFORE_SECONDS = 60;

/** Why nobody is signed in; `code` is one of messages.json. */
export class SignInError extends Error {
  constructor(
    readonly code: string,
    cause?: unknown,
  ) {
    super(code, { cause });
  }
}

/** Fires "ended" when the session cannot be renewed any more. */
export class SignIn extends EventTarget {
  readonly #config: SiteConfig;
  readonly #users: UserManager;
  #user: User | null = null;
  #renewal: Promise<void> | null = null;

  constructor(config: SiteConfig) {
    super();
    this.#config = config;
    const tab = new WebStorageStateStore({ store: sessionStorage });
    this.#users = new UserManager({
      authority: config.authority,
      client_id: config.webClientId,
      redirect_uri: siteUrl(),
      scope: config.scopes.join(" "),
      userStore: tab,
      stateStore: tab,
      automaticSilentRenew: false,
      revokeTokenTypes: ["refresh_token"],
    });
  }

  get isSignedIn(): boolean {
    return this.#user !== null;
  }

  /** The e-mail address, for showing only. */
  get email(): string {
    return this.#user?.profile.email ?? "";
  }

  /** Take up this tab's session, or the answer of the sign-in page that just sent the browser back. */
  async open(): Promise<void> {
    const query = new URLSearchParams(location.search);
    if (!query.has("code") && !query.has("error")) {
      this.#user = await this.#users.getUser();
      return;
    }
    const answer = location.href;
    history.replaceState(null, "", location.pathname);
    try {
      this.#user = await this.#users.signinRedirectCallback(answer);
    } catch (error) {
      throw asSignInError(error, query);
    }
  }

  /** Leave for the sign-in page. */
  async start(): Promise<void> {
    try {
      await this.#users.signinRedirect();
    } catch (error) {
      throw new SignInError("sign_in_unreachable", error);
    }
  }

  /** An access token that is good for a while. */
  async accessToken({ renew = false } = {}): Promise<string> {
    if (!this.#user) throw new SignInError("unauthorized");
    if (renew || (this.#user.expires_in ?? 0) < RENEW_BEFORE_SECONDS) {
      // One renewal for all who wait: the refresh token is used up by it.
      this.#renewal ??= this.#renew().finally(() => {
        this.#renewal = null;
      });
      await this.#renewal;
    }
    return this.#user.access_token;
  }

  /** Sign out here and at the sign-in, whose page sends the browser back. */
  async signOut(): Promise<void> {
    await this.#users.revokeTokens().catch(() => {}); // signing out must not depend on the line
    await this.#users.removeUser();
    const query = new URLSearchParams({ client_id: this.#config.webClientId, logout_uri: siteUrl() });
    location.assign(`${this.#config.logoutUrl}?${query}`);
  }

  async #renew(): Promise<void> {
    try {
      if (!this.#user?.refresh_token) throw new SignInError("unauthorized");
      this.#user = await this.#users.signinSilent();
      if (!this.#user) throw new SignInError("unauthorized");
    } catch (error) {
      if (!(error instanceof ErrorResponse || error instanceof SignInError)) {
        throw new SignInError("sign_in_unreachable", error);
      }
      this.#user = null;
      await this.#users.removeUser();
      this.dispatchEvent(new Event("ended"));
      throw new SignInError("unauthorized", error);
    }
  }
}

function siteUrl(): string {
  return `${location.origin}/`;
}

function asSignInError(error: unknown, query: URLSearchParams): SignInError {
  if (error instanceof ErrorResponse) return new SignInError("sign_in_refused", error);
  const isUnasked = !query.has("state") || (error instanceof Error && error.message.startsWith("No matching state"));
  return new SignInError(isUnasked ? "state_mismatch" : "sign_in_unreachable", error);
}
