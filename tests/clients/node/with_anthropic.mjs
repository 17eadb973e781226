// Anthropic's library.

import Anthropic from "@anthropic-ai/sdk";
import { ABOUT, BASE, HELLO, KEY, NAME, QUESTION, run, SCHEMA, tell } from "./asked.mjs";

const client = new Anthropic({ baseURL: BASE, apiKey: KEY, maxRetries: 0 });
const said = (message) => message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

await tell(async (model) => {
  const hello = { model, max_tokens: 1024, messages: [{ role: "user", content: HELLO }] };
  const whole = await client.messages.create(hello);
  const streamed = await client.messages.stream(hello).finalMessage();
  const tools = [{ name: NAME, description: ABOUT, input_schema: SCHEMA }];
  const messages = [{ role: "user", content: QUESTION }];
  const called = await client.messages.stream({ ...hello, messages, tools }).finalMessage();
  const made = called.content.filter((block) => block.type === "tool_use");
  const results = made.map((block) => ({ type: "tool_result", tool_use_id: block.id, content: run(block.input) }));
  messages.push({ role: "assistant", content: called.content }, { role: "user", content: results });
  const result = await client.messages.create({ ...hello, messages, tools });
  const calls = made.map((block) => [block.name, block.input]);
  return { text: said(whole), stream: said(streamed), calls, result: said(result) };
});
