/**
 * Signing in with OAuth code + PKCE at the hosted sign-in that /config.json names.
 *
 * Tokens live in sessionStorage: they end with the tab and are never shared with another one.
 */

/**
 * @typedef {object} SiteConfig
 * @property {string} authority issuer of the tokens
 * @property {string} webClientId
 * @property {string[]} scopes
 * @property {string} logoutUrl
 * @property {string} apiUrl absolute, or relative to the site
 */

/** @typedef {{accessToken: string, idToken: string, refreshToken: string, expiresAt: number}} Session */
/** @typedef {{state: string, nonce: string, verifier: string}} Attempt */

const SESSION_KEY = "session";
const ATTEMPT_KEY = "sign-in-attempt";
const RENEW_BEFORE_SECONDS = 60;

/** Why nobody is signed in; `code` is one of messages.js. */
export class SignInError extends Error {
  /** @param {string} code @param {unknown} [cause] */
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/** Fires "ended" when the session cannot be renewed any more. */
export class SignIn extends EventTarget {
  #config;
  /** @type {Session | null} */
  #session = read(SESSION_KEY);
  /** @type {Promise<void> | null} */
  #renewal = null;
  /** @type {Promise<Record<string, string>> | null} */
  #endpoints = null;

  /** @param {SiteConfig} config */
  constructor(config) {
    super();
    this.#config = config;
  }

  get isSignedIn() {
    return this.#session !== null;
  }

  /** The e-mail address, for showing only. */
  get email() {
    return this.#session ? String(claims(this.#session.idToken).email ?? "") : "";
  }

  /** Leave for the sign-in page. @throws {SignInError} */
  async start() {
    const { authorization_endpoint } = await this.#discover();
    /** @type {Attempt} */
    const attempt = { state: random(), nonce: random(), verifier: random(48) };
    sessionStorage.setItem(ATTEMPT_KEY, JSON.stringify(attempt));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(attempt.verifier));
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.#config.webClientId,
      redirect_uri: siteUrl(),
      scope: this.#config.scopes.join(" "),
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: base64url(new Uint8Array(digest)),
      code_challenge_method: "S256",
    });
    location.assign(`${authorization_endpoint}?${query}`);
  }

  /** Take the answer out of the address, if the sign-in page just sent the browser back. @throws {SignInError} */
  async finish() {
    const query = new URLSearchParams(location.search);
    if (!query.has("code") && !query.has("error")) return;
    history.replaceState(null, "", location.pathname);
    /** @type {Attempt | null} */
    const attempt = read(ATTEMPT_KEY);
    sessionStorage.removeItem(ATTEMPT_KEY);
    if (!attempt || query.get("state") !== attempt.state) throw new SignInError("state_mismatch");
    if (query.has("error")) throw new SignInError("sign_in_refused", query.get("error_description"));
    const tokens = await this.#askForTokens({
      grant_type: "authorization_code",
      code: query.get("code") ?? "",
      redirect_uri: siteUrl(),
      code_verifier: attempt.verifier,
    });
    if (claims(tokens.id_token).nonce !== attempt.nonce) throw new SignInError("sign_in_refused");
    this.#keep(tokens);
  }

  /**
   * A token for the API, renewed when it is about to end.
   *
   * @param {{renew?: boolean}} [options] renew: the API refused the last one
   * @returns {Promise<string>}
   * @throws {SignInError}
   */
  async accessToken({ renew = false } = {}) {
    if (!this.#session) throw new SignInError("unauthorized");
    if (renew || Date.now() / 1000 > this.#session.expiresAt - RENEW_BEFORE_SECONDS) {
      this.#renewal ??= this.#renew().finally(() => {
        this.#renewal = null;
      });
      await this.#renewal;
    }
    return this.#session.accessToken;
  }

  /** Forget the tokens, end them at the sign-in, and leave for its sign-out. */
  async signOut() {
    const session = this.#session;
    this.#forget();
    if (session) {
      const { revocation_endpoint } = await this.#discover().catch(() => ({ revocation_endpoint: "" }));
      const body = new URLSearchParams({ token: session.refreshToken, client_id: this.#config.webClientId });
      if (revocation_endpoint) await fetch(revocation_endpoint, { method: "POST", body }).catch(() => {});
    }
    const query = new URLSearchParams({ client_id: this.#config.webClientId, logout_uri: siteUrl() });
    location.assign(`${this.#config.logoutUrl}?${query}`);
  }

  async #renew() {
    const refreshToken = this.#session?.refreshToken ?? "";
    try {
      const tokens = await this.#askForTokens({ grant_type: "refresh_token", refresh_token: refreshToken });
      // Cognito without rotation answers with no new refresh token: the old one stays good.
      this.#keep({ refresh_token: refreshToken, ...tokens });
    } catch (error) {
      if (!(error instanceof SignInError) || error.code === "sign_in_unreachable") throw error;
      this.#forget();
      this.dispatchEvent(new Event("ended"));
      throw new SignInError("unauthorized", error);
    }
  }

  /** @param {Record<string, string>} grant @returns {Promise<Record<string, any>>} */
  async #askForTokens(grant) {
    const { token_endpoint } = await this.#discover();
    const body = new URLSearchParams({ client_id: this.#config.webClientId, ...grant });
    const response = await fetch(token_endpoint, { method: "POST", body }).catch((error) => {
      throw new SignInError("sign_in_unreachable", error);
    });
    if (response.status >= 500) throw new SignInError("sign_in_unreachable");
    if (!response.ok) throw new SignInError("sign_in_refused");
    return response.json();
  }

  #discover() {
    this.#endpoints ??= fetch(`${this.#config.authority}/.well-known/openid-configuration`)
      .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
      .catch((error) => {
        this.#endpoints = null;
        throw new SignInError("sign_in_unreachable", error);
      });
    return this.#endpoints;
  }

  /** @param {Record<string, any>} tokens */
  #keep(tokens) {
    this.#session = {
      accessToken: tokens.access_token,
      idToken: tokens.id_token ?? "",
      refreshToken: tokens.refresh_token ?? "",
      expiresAt: Date.now() / 1000 + Number(tokens.expires_in),
    };
    sessionStorage.setItem(SESSION_KEY, JSON.stringify(this.#session));
  }

  #forget() {
    this.#session = null;
    sessionStorage.removeItem(SESSION_KEY);
  }
}

function siteUrl() {
  return `${location.origin}/`;
}

/** @param {string} key @returns {any} */
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Claims of a token that came straight from the token endpoint; the API is who verifies signatures. @param {string} token */
function claims(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (character) => character.charCodeAt(0))));
  } catch {
    return {};
  }
}

function random(bytes = 32) {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
