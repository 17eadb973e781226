// The AI SDK with its provider for servers that speak OpenAI's format: it runs the tool itself.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, jsonSchema, streamText, tool } from "ai";
import { ABOUT, BASE, HELLO, KEY, NAME, QUESTION, run, SCHEMA, tell } from "./asked.mjs";

const provider = createOpenAICompatible({ name: "tollhouse", baseURL: `${BASE}/v1`, apiKey: KEY });

await tell(async (id) => {
  const model = provider(id);
  const whole = await generateText({ model, prompt: HELLO, maxRetries: 0 });
  const streamed = streamText({ model, prompt: HELLO, maxRetries: 0 });
  let stream = "";
  for await (const piece of streamed.textStream) {
    stream += piece;
  }
  const calls = [];
  const execute = async (given) => {
    calls.push([NAME, given]);
    return run(given);
  };
  const tools = { [NAME]: tool({ description: ABOUT, inputSchema: jsonSchema(SCHEMA), execute }) };
  const result = await generateText({ model, prompt: QUESTION, tools, stopWhen: isStepCount(3), maxRetries: 0 });
  return { text: whole.text, stream, calls, result: result.text };
});
