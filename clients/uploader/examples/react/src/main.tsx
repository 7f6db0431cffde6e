import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import type { CompleteDetail, ProgressDetail } from "video-uploader";
import { Uploader } from "./Uploader";

/** Your server knows who is signed in, and gives the access token of that person. */
async function accessToken(): Promise<string> {
  const answer = await fetch("token", { method: "POST" });
  if (!answer.ok) throw new Error(`no access token: status ${answer.status}`);
  return answer.text();
}

function App({ apiUrl }: { apiUrl: string }) {
  const [progress, setProgress] = useState<ProgressDetail | null>(null);
  const [received, setReceived] = useState<CompleteDetail[]>([]);
  return (
    <>
      <h1>Send us your videos</h1>
      <Uploader
        apiUrl={apiUrl}
        accessToken={accessToken}
        onProgress={setProgress}
        onComplete={(detail) => setReceived((before) => [...before, detail])}
      />
      {progress && <p>{Math.floor((progress.sentBytes / progress.sizeBytes) * 100)}%</p>}
      <ul>
        {received.map(({ file, videoId, message }) => (
          <li key={videoId}>{message || file.name}</li>
        ))}
      </ul>
    </>
  );
}

const { apiUrl } = await (await fetch("settings.json")).json();
const app = document.getElementById("app");
if (app) {
  createRoot(app).render(
    <StrictMode>
      <App apiUrl={apiUrl} />
    </StrictMode>,
  );
}
