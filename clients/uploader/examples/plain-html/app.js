// settings.json: {"apiUrl": "https://videos.example.com/api"}, from your server.
const { apiUrl } = await (await fetch("settings.json")).json();
const uploader = document.querySelector("video-uploader");

uploader.texts = { "drop.title": "Drop your films here" };
uploader.addEventListener("upload-complete", ({ detail }) => {
  const row = document.createElement("li");
  row.textContent = detail.state === "ready" ? `${detail.file.name}: ${detail.videoId}` : detail.message;
  document.querySelector("#received").append(row);
});

// Your server knows who is signed in, and gives the access token of that person.
uploader.accessToken = async () => {
  const answer = await fetch("token", { method: "POST" });
  if (!answer.ok) throw new Error(`no access token: status ${answer.status}`);
  return answer.text();
};
uploader.apiUrl = apiUrl;
