// Reads the live stream in Node.js. `EventSource` reconnects by itself and continues where it was.
// Usage: npm install eventsource@4 && node read.mjs SELECTOR [SERVER]    such as: node read.mjs 'example/**'

import { EventSource } from "eventsource";

const [selector, server = "http://localhost:7878"] = process.argv.slice(2);
if (selector === undefined) {
  console.error("usage: node read.mjs SELECTOR [SERVER]");
  process.exit(2);
}

const source = new EventSource(`${server}/sse?series=${encodeURIComponent(selector)}`);
source.addEventListener("error", () => console.error("reconnecting"));
source.addEventListener("message", ({ data }) => {
  const event = JSON.parse(data);
  for (const { name, value, text, ts } of event.series ?? []) {
    console.log(event.type, name, value ?? text, ts);
  }
});
