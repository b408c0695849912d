// Reads a stream with one of the EventSource clients of npm, as its documentation says, and prints a line of JSON for each
// event. The first line has the version of the client.
// Usage: node eventsource.mjs FOLDER CLIENT URL    FOLDER: where node_modules is

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, client, url] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const line = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const read = (source) => source.addEventListener("message", (event) => line({ id: event.lastEventId, data: event.data }));

const clients = {
  eventsource2: () => read(new (require("eventsource2"))(url)),
  eventsource4: () => read(new (require("eventsource4").EventSource)(url)),
  eventsource5: async () => read(new (await imported("eventsource5")).EventSource(url)),
  "event-source-polyfill": () => read(new (require("event-source-polyfill").EventSourcePolyfill)(url)),
  "reconnecting-eventsource": () => {
    // It is for browsers whose own EventSource gives up when a connection fails.
    class GivesUp extends require("eventsource4").EventSource {
      set onerror(handler) {
        super.onerror = (event) => {
          this.close();
          handler.call(this, event);
        };
      }
    }
    const Reconnecting = require("reconnecting-eventsource").default;
    read(new Reconnecting(url, { eventSourceClass: GivesUp, max_retry_time: 1000 }));
  },
  "@microsoft/fetch-event-source": () => {
    // It is for browsers, and asks them whether the page can be seen.
    globalThis.window = globalThis;
    globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
    require("@microsoft/fetch-event-source").fetchEventSource(url, {
      onmessage: ({ id, data }) => line({ id, data }),
      // A stream that ends is one to come back to.
      onclose() {
        throw new Error("the stream ended");
      },
    });
  },
};

function manifest(name) {
  return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json")));
}

// Of a package that has only ES modules.
function imported(name) {
  const { exports } = manifest(name);
  const entry = exports?.["."]?.import?.default ?? exports?.["."]?.import ?? exports?.["."]?.default ?? exports;
  return import(join(folder, "node_modules", name, entry));
}

// The wait for a new connection of some keeps no process alive.
setInterval(() => {}, 60_000);
line({ version: manifest(client).version });
await clients[client]();
