/**
 * Signing in with OAuth code + PKCE at the hosted sign-in that /config.json names.
 *
 * Tokens live in sessionStorage: they end with the tab and are never shared with another one. They are renewed when they
 * are needed, not by a timer, which sleeps with the machine.
 */

import { ErrorResponse, type User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { Details } from "video-uploader/api";

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
  /** of the account view; there is none without it */
  accountClientId?: string;
  /** the group whose members see all users' videos; there is none without it */
  administratorsGroup?: string;
  /** the second factor at sign-in */
  mfa?: "off" | "optional" | "required";
  /** mail domains whose people sign in at their company */
  companyDomains?: string[];
  /** false where nobody has a password here */
  localUsers?: boolean;
  /** how long an upload link may be valid; 0 where there are none */
  maxLinkDays?: number;
  /** of the videos that the stage takes; all that the contract has without it */
  acceptedContainers?: string[];
}

const RENEW_BEFORE_SECONDS = 60;

/** Path of signed-in.html, a callback URL of the web client. */
const POPUP_PAGE = "signed-in.html";
/** Message of the library: a window that a blocker did not let open was never there. */
const NO_WINDOW = "disposed window";
/** Key of the company at which this tab signed in. */
const COMPANY = "company";

/** Reason why nobody is signed in; its text is "error.CODE". */
export class SignInError extends Error {
  constructor(
    readonly code: string,
    cause?: unknown,
    readonly details: Details = {},
  ) {
    super(code, { cause });
  }
}

/** Fires "ended" when the session cannot be renewed any more, and "resumed" when the same person is signed in again. */
export class SignIn extends EventTarget {
  readonly #config: SiteConfig;
  readonly #users: UserManager;
  #user: User | null = null;
  #renewal: Promise<void> | null = null;
  /** the session that ended, until the same person is signed in again */
  #ended: EndedSession | null = null;
  /** ends the wait for an earlier window */
  #popup = new AbortController();

  constructor(config: SiteConfig) {
    super();
    this.#config = config;
    const tab = new WebStorageStateStore({ store: sessionStorage });
    this.#users = new UserManager({
      authority: config.authority,
      client_id: config.webClientId,
      redirect_uri: siteUrl(),
      popup_redirect_uri: siteUrl() + POPUP_PAGE,
      scope: config.scopes.join(" "),
      userStore: tab,
      stateStore: tab,
      automaticSilentRenew: false,
      revokeTokenTypes: ["refresh_token"],
    });
  }

  /** True if the e-mail address decides where a person signs in. */
  get hasCompanies(): boolean {
    return (this.#config.companyDomains ?? []).length > 0;
  }

  /** True if a company answers for this person, for showing only: the second factor is the company's as well. */
  get isOfCompany(): boolean {
    return this.#user?.profile.identities !== undefined;
  }

  get isSignedIn(): boolean {
    return this.#user !== null;
  }

  /** The e-mail address, for showing only. */
  get email(): string {
    return this.#user?.profile.email ?? "";
  }

  /** The person, by an id that stays. */
  get subject(): string {
    return this.#user?.profile.sub ?? "";
  }

  /** True if the person is in the group of administrators, for showing only: the API decides. */
  get isAdministrator(): boolean {
    const groups = this.#user?.profile["cognito:groups"];
    const group = this.#config.administratorsGroup;
    return group !== undefined && Array.isArray(groups) && groups.includes(group);
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

  /** Leave for the sign-in page, of the company where the address is one of a company's. */
  async start(email?: string): Promise<void> {
    if (email !== undefined) this.#rememberCompany(email);
    try {
      await this.#users.signinRedirect({ ...this.#destination(), ...(email && { login_hint: email }) });
    } catch (error) {
      throw new SignInError("sign_in_unreachable", error);
    }
  }

  /**
   * Sign in again in a window of its own: nothing on this page stops. Call it in a click, or the browser opens none.
   *
   * Resolves when the person whose session ended is signed in. A window that is closed is not noticed: the sign-in's
   * headers part it from this page, so that it looks closed from the beginning.
   */
  async startAgain(): Promise<void> {
    const ended = this.#ended;
    if (!ended) return;
    this.#popup.abort();
    this.#popup = new AbortController();
    const { signal } = this.#popup;
    let user: User;
    try {
      const prompt = ended.mustPrompt ? { prompt: "login" } : {};
      user = await this.#users.signinPopup({ popupSignal: signal, ...this.#destination(), ...prompt });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Error && error.message.includes(NO_WINDOW)) throw new SignInError("popup_blocked", error);
      throw new SignInError(error instanceof ErrorResponse ? "sign_in_refused" : "sign_in_unreachable", error);
    }
    if (user.profile.sub !== ended.user.profile.sub) {
      ended.mustPrompt = true;
      await this.#forget();
      const details = { signedIn: user.profile.email, owner: ended.user.profile.email };
      throw new SignInError("signed_in_as_another", undefined, details);
    }
    this.#user = user;
    this.#ended = null;
    ended.resume();
    this.dispatchEvent(new Event("resumed"));
  }

  /** An access token that is good for a while. Once the session has ended, it waits for the person to sign in again. */
  async accessToken({ renew = false } = {}): Promise<string> {
    await this.#ended?.resumed;
    if (!this.#user) throw new SignInError("unauthorized");
    if (renew || (this.#user.expires_in ?? 0) < RENEW_BEFORE_SECONDS) {
      // One renewal for all who wait: the refresh token is used up by it.
      this.#renewal ??= this.#renew().finally(() => {
        this.#renewal = null;
      });
      await this.#renewal;
    }
    return this.#user?.access_token ?? this.accessToken();
  }

  #rememberCompany(email: string): void {
    const domain = email
      .slice(email.lastIndexOf("@") + 1)
      .trim()
      .toLowerCase();
    sessionStorage.removeItem(COMPANY);
    if (this.#config.companyDomains?.includes(domain)) sessionStorage.setItem(COMPANY, domain);
    else if (this.#config.localUsers === false) throw new SignInError("no_such_company", undefined, { email });
  }

  #destination(): { extraQueryParams?: Record<string, string> } {
    const domain = sessionStorage.getItem(COMPANY);
    return domain === null ? {} : { extraQueryParams: { idp_identifier: domain } };
  }

  /** Sign out here and at the sign-in, whose page sends the browser back. */
  async signOut(): Promise<void> {
    await this.#forget();
    const query = new URLSearchParams({ client_id: this.#config.webClientId, logout_uri: siteUrl() });
    location.assign(`${this.#config.logoutUrl}?${query}`);
  }

  async #forget(): Promise<void> {
    await this.#users.revokeTokens().catch(() => {}); // signing out must not depend on the line
    await this.#users.removeUser();
  }

  async #renew(): Promise<void> {
    const user = this.#user;
    try {
      if (!user?.refresh_token) throw new SignInError("unauthorized");
      this.#user = await this.#users.signinSilent();
      if (!this.#user) throw new SignInError("unauthorized");
    } catch (error) {
      if (!(error instanceof ErrorResponse || error instanceof SignInError)) {
        throw new SignInError("sign_in_unreachable", error);
      }
      this.#user = null;
      if (user) this.#ended = new EndedSession(user);
      await this.#users.removeUser();
      this.dispatchEvent(new Event("ended"));
    }
  }
}

class EndedSession {
  /** Cognito's own session may be another person's: its page has to ask who it is */
  mustPrompt = false;
  readonly resumed: Promise<void>;
  resume = () => {};

  constructor(readonly user: User) {
    this.resumed = new Promise((resolve) => {
      this.resume = resolve;
    });
  }
}

function siteUrl(): string {
  return `${location.origin}/`;
}

/** Reason why the answer of the sign-in page signs nobody in. */
export function asSignInError(error: unknown, query: URLSearchParams): SignInError {
  if (error instanceof ErrorResponse) return new SignInError("sign_in_refused", error);
  const isUnasked = !query.has("state") || (error instanceof Error && error.message.startsWith("No matching state"));
  return new SignInError(isUnasked ? "state_mismatch" : "sign_in_unreachable", error);
}
