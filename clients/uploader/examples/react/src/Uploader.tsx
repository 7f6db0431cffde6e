import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { AccessToken, CompleteDetail, ProgressDetail, UploaderTexts, VideoUploaderEventMap } from "video-uploader";
import "video-uploader";

/** React 19 sets properties of custom elements, and listens to `on` + the name of their events. */
type Properties = DetailedHTMLProps<HTMLAttributes<HTMLElement>, HTMLElement> & {
  apiUrl: string;
  accessToken: AccessToken;
  texts?: UploaderTexts;
} & { [Name in keyof VideoUploaderEventMap as `on${Name}`]?: (event: VideoUploaderEventMap[Name]) => void };

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "video-uploader": Properties;
    }
  }
}

export function Uploader(props: {
  apiUrl: string;
  accessToken: AccessToken;
  onProgress: (detail: ProgressDetail) => void;
  onComplete: (detail: CompleteDetail) => void;
}) {
  return (
    <video-uploader
      apiUrl={props.apiUrl}
      accessToken={props.accessToken}
      onupload-progress={({ detail }) => props.onProgress(detail)}
      onupload-complete={({ detail }) => props.onComplete(detail)}
    />
  );
}
