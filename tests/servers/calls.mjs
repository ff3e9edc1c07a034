// Calls of Node's SDK, and what they came to as JSON. node calls.mjs BASE_URL KEY
import OpenAI, { toFile } from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 });
const chat = { model: "gpt-5", messages: [{ role: "user", content: "Is anybody there?" }] };
const found = {};

found.chat = (await client.chat.completions.create(chat)).choices[0].message.content;
found.chatStream = "";
found.chunks = 0;
for await (const chunk of await client.chat.completions.create({ ...chat, stream: true })) {
  found.chatStream += chunk.choices[0]?.delta?.content ?? "";
  found.chunks += 1;
}

const asked = { model: "gpt-5", input: "Hello there" };
found.response = (await client.responses.create(asked)).output_text;
found.responseStream = "";
for await (const event of await client.responses.create({ ...asked, stream: true })) {
  if (event.type === "response.output_text.delta") found.responseStream += event.delta;
}

const data = Buffer.from(Array.from({ length: 256 * 8000 }, (_, index) => index % 256));
const file = await client.files.create({ file: await toFile(data, "all bytes.bin"), purpose: "user_data" });
const content = Buffer.from(await (await client.files.content(file.id)).arrayBuffer());
const { deleted } = await client.files.delete(file.id);
found.file = { bytes: file.bytes, same: content.equals(data), deleted };

const told = { bytes: 20, filename: "parts.jsonl", mime_type: "text/jsonl", purpose: "batch" };
const upload = await client.uploads.create(told);
const parts = [];
for (const text of ["0123456789", "abcdefghij"]) {
  const part = await client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(text), "part") });
  parts.push(part.id);
}
const done = await client.uploads.complete(upload.id, { part_ids: parts });
found.upload = await (await client.files.content(done.file.id)).text();

const speech = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hi" });
found.speech = (await speech.arrayBuffer()).byteLength;

const made = [];
for (let number = 0; number < 7; number += 1) {
  made.push((await client.vectorStores.create({ name: `node-${number}` })).id);
}
found.stores = [];
for await (const store of client.vectorStores.list({ limit: 3, order: "asc" })) {
  if (made.includes(store.id)) found.stores.push(store.name);
}

const outcome = async (call) => {
  try {
    await call();
    return ["none", 0];
  } catch (error) {
    return [error.constructor.name, error.status];
  }
};
const nobody = client.withOptions({ apiKey: "gw-nobody" });
found.errors = {
  wrong: await outcome(() => client.chat.completions.create({ ...chat, messages: "wrong" })),
  unknown: await outcome(() => client.files.retrieve("file-of-nobody")),
  key: await outcome(() => nobody.get("/models", { headers: { Authorization: baseURL.includes("openai") ? "Bearer gw-nobody" : null } })),
};
console.log(JSON.stringify(found));
