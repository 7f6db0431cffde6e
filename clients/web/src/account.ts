/** The account view: set up, test and remove an authenticator app. */

import { type Account, AccountApi } from "./account_api";
import { AccountSignIn } from "./account_sign_in";
import { language, message } from "./language";
import { announce, byId, confirmed, hideBanner, showBanner, speak } from "./page";
import { qrCode } from "./qr_code";
import type { SiteConfig } from "./sign_in";

const CONFIG_URL = "/config.json";
const BLANKS = /\s/g;

async function open(): Promise<void> {
  const response = await fetch(CONFIG_URL, { cache: "no-store" });
  const config: SiteConfig = await response.json();
  const { accountClientId } = config;
  if (!accountClientId) {
    byId("account-closed").hidden = false;
    return;
  }
  const signIn = new AccountSignIn(config, accountClientId);
  byId("account-sign-in").onclick = () => signIn.start("open").catch(tell);
  try {
    const session = await signIn.finish();
    if (session) {
      const api = new AccountApi(config.authority, session.accessToken);
      const account = await api.account();
      const view = new FactorView(api, account, signIn, config.mfa === "required");
      return view.open(session.purpose === "test" && account.asksForCode ? language.text("factor.tested") : "");
    }
  } catch (error) {
    tell(error);
  }
  byId("account-welcome").hidden = false;
}

class FactorView {
  readonly #api: AccountApi;
  readonly #account: Account;
  readonly #isRequired: boolean;

  constructor(api: AccountApi, account: Account, signIn: AccountSignIn, isRequired: boolean) {
    this.#api = api;
    this.#account = account;
    this.#isRequired = isRequired;
    byId("factor-set-up").onclick = () => this.#begin().catch(tell);
    byId("factor-test").onclick = () => signIn.start("test").catch(tell);
    byId("factor-remove").onclick = () => this.#remove().catch(tell);
    byId("set-up-cancel").onclick = () => this.open();
    byId<HTMLFormElement>("code-form").onsubmit = (event) => {
      event.preventDefault();
      void this.#finish();
    };
    byId("copy-key").onclick = () => this.#copy().catch(tell);
  }

  /** Show whether codes are asked for, and what just happened. */
  open(notice = ""): void {
    const isOn = this.#account.asksForCode;
    hideBanner();
    byId("account-name").textContent = this.#account.email;
    byId("factor-state").textContent = language.text(isOn ? "factor.on" : "factor.off");
    byId("factor-hint").textContent = language.text(isOn ? "factor.on.hint" : "factor.off.hint");
    byId("factor-set-up").textContent = language.text(isOn ? "factor.replace" : "factor.set_up");
    byId("factor-set-up").classList.toggle("primary", !isOn);
    byId("factor-test").hidden = !isOn;
    byId("factor-remove").hidden = !isOn || this.#isRequired;
    byId("factor-notice").textContent = notice;
    byId("factor-notice").hidden = !notice;
    byId("set-up").hidden = true;
    byId("factor").hidden = false;
    if (notice) byId("factor-heading").focus();
  }

  async #begin(): Promise<void> {
    const secret = await this.#api.begin();
    byId("qr").replaceChildren(qrCode(address(secret, this.#account.email), language.text("set_up.picture")));
    byId("key").textContent = secret.replace(/(.{4})(?=.)/g, "$1 ");
    byId<HTMLInputElement>("code").value = "";
    byId("code-problem").hidden = true;
    byId("factor").hidden = true;
    byId("set-up").hidden = false;
    byId("set-up-heading").focus();
  }

  async #finish(): Promise<void> {
    const field = byId<HTMLInputElement>("code");
    const done = byId<HTMLButtonElement>("set-up-done");
    const problem = byId("code-problem");
    done.disabled = true;
    try {
      await this.#api.finish(field.value.replace(BLANKS, ""));
      this.#account.asksForCode = true;
      byId("qr").replaceChildren();
      byId("key").textContent = "";
      this.open(language.text("factor.ready"));
    } catch (error) {
      problem.textContent = message(error);
      problem.hidden = false;
      field.select();
      field.focus();
    } finally {
      done.disabled = false;
    }
  }

  async #remove(): Promise<void> {
    const isWanted = await confirmed({
      title: language.text("remove.title"),
      text: language.text("remove.text"),
      yes: language.text("remove.yes"),
      no: language.text("remove.no"),
    });
    if (!isWanted) return;
    await this.#api.ask(false);
    this.#account.asksForCode = false;
    this.open(language.text("factor.removed"));
  }

  async #copy(): Promise<void> {
    await navigator.clipboard.writeText((byId("key").textContent ?? "").replace(BLANKS, ""));
    announce(language.text("set_up.copied"));
    byId("copy-key").textContent = language.text("set_up.copied");
  }
}

/** Text that authenticator apps read from the picture. */
function address(secret: string, email: string): string {
  const issuer = location.host;
  const query = new URLSearchParams({ secret, issuer });
  return `otpauth://totp/${encodeURIComponent(`${issuer}:${email}`)}?${query}`;
}

function tell(error: unknown): void {
  showBanner(message(error));
}

speak("account.page");
open().catch(() => showBanner(language.text("page.broken")));
