// OpenAI's library: chat completions, and responses with the argument `responses`.

import OpenAI from "openai";
import { ABOUT, BASE, HELLO, KEY, NAME, QUESTION, run, SCHEMA, tell } from "./asked.mjs";

const client = new OpenAI({ baseURL: `${BASE}/v1`, apiKey: KEY, maxRetries: 0 });

async function chat(model) {
  const hello = [{ role: "user", content: HELLO }];
  const whole = await client.chat.completions.create({ model, messages: hello });
  let stream = "";
  for await (const chunk of await client.chat.completions.create({ model, messages: hello, stream: true })) {
    stream += chunk.choices[0]?.delta?.content ?? "";
  }
  const tools = [{ type: "function", function: { name: NAME, description: ABOUT, parameters: SCHEMA } }];
  const messages = [{ role: "user", content: QUESTION }];
  const called = (await client.chat.completions.create({ model, messages, tools })).choices[0].message;
  messages.push(called);
  const calls = called.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]);
  for (const [at, call] of called.tool_calls.entries()) {
    messages.push({ role: "tool", tool_call_id: call.id, content: run(calls[at][1]) });
  }
  const result = await client.chat.completions.create({ model, messages, tools });
  return { text: whole.choices[0].message.content, stream, calls, result: result.choices[0].message.content };
}

async function responses(model) {
  const whole = await client.responses.create({ model, input: HELLO });
  let stream = "";
  for await (const event of await client.responses.create({ model, input: HELLO, stream: true })) {
    stream += event.type === "response.output_text.delta" ? event.delta : "";
  }
  const tools = [{ type: "function", name: NAME, description: ABOUT, parameters: SCHEMA, strict: true }];
  const input = [{ role: "user", content: QUESTION }];
  const called = await client.responses.create({ model, input, tools, store: false });
  input.push(...called.output);
  const made = called.output.filter((item) => item.type === "function_call");
  const calls = made.map((item) => [item.name, JSON.parse(item.arguments)]);
  for (const [at, item] of made.entries()) {
    input.push({ type: "function_call_output", call_id: item.call_id, output: run(calls[at][1]) });
  }
  const result = await client.responses.create({ model, input, tools, store: false });
  return { text: whole.output_text, stream, calls, result: result.output_text };
}

await tell(process.argv[2] === "responses" ? responses : chat);
