// Google's library.

import { GoogleGenAI } from "@google/genai";
import { ABOUT, BASE, HELLO, KEY, NAME, QUESTION, run, SCHEMA, tell } from "./asked.mjs";

const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: BASE } });

await tell(async (model) => {
  const whole = await client.models.generateContent({ model, contents: HELLO });
  let stream = "";
  for await (const chunk of await client.models.generateContentStream({ model, contents: HELLO })) {
    stream += chunk.text ?? "";
  }
  const declared = [{ name: NAME, description: ABOUT, parametersJsonSchema: SCHEMA }];
  const config = { tools: [{ functionDeclarations: declared }] };
  const contents = [{ role: "user", parts: [{ text: QUESTION }] }];
  const called = await client.models.generateContent({ model, contents, config });
  const made = called.functionCalls ?? [];
  const parts = made.map((call) => ({
    functionResponse: { id: call.id, name: call.name, response: { output: run(call.args) } },
  }));
  contents.push(called.candidates[0].content, { role: "user", parts });
  const result = await client.models.generateContent({ model, contents, config });
  return { text: whole.text, stream, calls: made.map((call) => [call.name, call.args]), result: result.text };
});
