// What every program here is told and tells: models in, a line of JSON for each out.

export const BASE = process.env.BASE_URL;
export const KEY = process.env.API_KEY;
export const HELLO = "Grüße aus Bern";
export const QUESTION = "What is it like there?";
export const NAME = "get_weather";
export const ABOUT = "The weather of a city";
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string", description: "a city" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};

export const run = ({ city, days }) => `${city}: ${days + 5} °C`;

export async function tell(ask) {
  for (const model of process.env.MODELS.split(" ")) {
    console.log(JSON.stringify({ model, ...(await ask(model)) }));
  }
}
