import { readFile } from "node:fs/promises";
import { upload } from "./bundle.mjs";

const [baseUrl, accessToken, file] = process.argv.slice(2);
console.log(JSON.stringify(await upload(baseUrl, accessToken, "generated.mp4", new Uint8Array(await readFile(file)))));
