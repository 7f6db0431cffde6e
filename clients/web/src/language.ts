/** The page's language, by the browser's wish: the uploader's texts and the page's own. */

import { chosenLocale, Language, type Texts } from "video-uploader/language";
import { message as uploaderMessage } from "video-uploader/messages";
import { UPLOADER_TEXTS, type UploaderTextKey } from "video-uploader/uploader_texts";
import { extensionsIn, typeLabels } from "video-uploader/video_types";
import de from "./texts/de.json";
import en from "./texts/en.json";

type PageTextKey = keyof typeof en;
export type TextKey = UploaderTextKey | PageTextKey;

const PAGE_TEXTS: { en: Texts<PageTextKey>; de: Texts<PageTextKey> } = { en, de };
const { locale, name } = chosenLocale(navigator.languages, PAGE_TEXTS, "en");

/** Language tag as in <html lang>. */
export const languageName: string = name;

export const language = new Language<TextKey>(locale, {
  ...UPLOADER_TEXTS[name],
  ...PAGE_TEXTS[name],
});

let acceptedTypes: string | undefined;

/** containers: of the videos that the stage accepts; without it all. */
export function tellAccepted(containers?: readonly string[]): void {
  acceptedTypes = containers && typeLabels(locale, extensionsIn(containers));
}

/** Anything caught, in words. */
export function message(error: unknown): string {
  return uploaderMessage(error, language, acceptedTypes);
}
