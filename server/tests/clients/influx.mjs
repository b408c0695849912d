// The client of InfluxDB 1 for Node: the package influx.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [folder, url] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { FieldType, InfluxDB } = require("influx");

const { hostname, port } = new URL(url);
const influx = new InfluxDB({
  host: hostname,
  port: Number(port),
  database: "node1",
  username: "user",
  password: "password",
  schema: [{ measurement: "node1", fields: { temp: FieldType.FLOAT, note: FieldType.STRING }, tags: ["room"] }],
});

const [host] = await influx.ping(5000);
assert(host.online && host.version);
if (!(await influx.getDatabaseNames()).includes("other")) {
  await influx.createDatabase("other");
}
assert((await influx.getDatabaseNames()).includes("other"));

const note = 'two\nlines, "quoted"';
await influx.writePoints([{ measurement: "node1", tags: { room: "a b" }, fields: { temp: 21.5, note }, timestamp: new Date() }]);
await influx.writeMeasurement("node1", [{ tags: { room: "b" }, fields: { temp: 1 } }]);
await influx.writePoints([{ measurement: "node1", tags: { room: "c" }, fields: { temp: 1 }, timestamp: Date.now() }], {
  precision: "ms",
});
await influx.writePoints([]);
const wrong = new InfluxDB({ host: hostname, port: Number(port), database: "node1" });
await assert.rejects(
  wrong.writePoints([{ measurement: "node1", tags: { room: "b" }, fields: { temp: "hot", good: 1 } }]),
  /400 .*partial write: field type conflict/,
);
console.log(require("influx/package.json").version);
