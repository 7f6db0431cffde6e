/** The texts of the uploader. */

import { chosenLocale, Language, type Texts } from "./language";
import de from "./texts/de.json";
import en from "./texts/en.json";

export type UploaderTextKey = keyof typeof en;

/** Texts that the embedding page replaces; the others stay. */
export type UploaderTexts = Partial<Texts<UploaderTextKey>>;

/** Source of the uploader's texts: the embedding page may have others beside them. */
export type UploaderLanguage = Pick<Language<UploaderTextKey>, "locale" | "text" | "textOr">;

export const UPLOADER_TEXTS: { en: Texts<UploaderTextKey>; de: Texts<UploaderTextKey> } = { en, de };

/** wanted: language tags, the most wanted first. replaced: texts of the embedding page. */
export function uploaderLanguage(wanted: readonly string[], replaced: UploaderTexts = {}): Language<UploaderTextKey> {
  const { locale, name } = chosenLocale(wanted, UPLOADER_TEXTS, "en");
  return new Language(locale, { ...UPLOADER_TEXTS[name], ...replaced });
}
