/** A person's own account at the sign-in, by Cognito's calls that an access token opens. */

import { SignInError } from "./sign_in";

const SERVICE = "AWSCognitoIdentityProviderService";
const SOFTWARE_TOKEN = "SOFTWARE_TOKEN_MFA";

/** Codes of the texts "error.CODE", by the names of Cognito's exceptions. */
const CODES: Readonly<Record<string, string>> = {
  EnableSoftwareTokenMFAException: "wrong_code",
  CodeMismatchException: "wrong_code",
  NotAuthorizedException: "account_session_ended",
  TooManyRequestsException: "too_many_codes",
  LimitExceededException: "too_many_codes",
};

export interface Account {
  email: string;
  /** whether signing in asks for a code */
  asksForCode: boolean;
}

export class AccountApi {
  readonly #url: string;
  readonly #accessToken: string;

  /** authority: issuer of the tokens; the calls go to the root of its host. */
  constructor(authority: string, accessToken: string) {
    this.#url = new URL("/", authority).href;
    this.#accessToken = accessToken;
  }

  async account(): Promise<Account> {
    const { UserAttributes = [], UserMFASettingList = [] } = await this.#call<{
      UserAttributes?: { Name: string; Value?: string }[];
      UserMFASettingList?: string[];
    }>("GetUser");
    const email = UserAttributes.find(({ Name }) => Name === "email")?.Value ?? "";
    return { email, asksForCode: UserMFASettingList.includes(SOFTWARE_TOKEN) };
  }

  /** The secret of a new authenticator app; the present one stays in use until `finish`. */
  async begin(): Promise<string> {
    return (await this.#call<{ SecretCode: string }>("AssociateSoftwareToken")).SecretCode;
  }

  /** Take the new app into use by a code that it shows. */
  async finish(code: string): Promise<void> {
    // Cognito's model knows both answers; only one of them is a success.
    const { Status } = await this.#call<{ Status?: string }>("VerifySoftwareToken", { UserCode: code });
    if (Status !== "SUCCESS") throw new SignInError("wrong_code");
    await this.ask(true);
  }

  /** Ask for codes at sign-in, or no longer. */
  async ask(isOn: boolean): Promise<void> {
    await this.#call("SetUserMFAPreference", { SoftwareTokenMfaSettings: { Enabled: isOn, PreferredMfa: isOn } });
  }

  async #call<Answer>(operation: string, values: Record<string, unknown> = {}): Promise<Answer> {
    let response: Response;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `${SERVICE}.${operation}` },
        body: JSON.stringify({ AccessToken: this.#accessToken, ...values }),
        cache: "no-store",
      });
    } catch (error) {
      throw new SignInError("sign_in_unreachable", error);
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const name = String(answer.__type ?? "").replace(/^.*#/, "");
    throw new SignInError(CODES[name] ?? "account_refused", name);
  }
}
