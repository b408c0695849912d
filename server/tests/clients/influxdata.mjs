// The client of InfluxDB 2 for Node: the packages @influxdata/influxdb-client and @influxdata/influxdb-client-apis.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, url] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { HttpError, InfluxDB, Point } = require("@influxdata/influxdb-client");
const { BucketsAPI, HealthAPI, OrgsAPI, PingAPI, ReadyAPI } = require("@influxdata/influxdb-client-apis");

const influx = new InfluxDB({ url, token: "token" });
await new PingAPI(influx).getPing();
assert.equal((await new HealthAPI(influx).getHealth()).status, "pass");
assert.equal((await new ReadyAPI(influx).getReady()).status, "ready");
const [organisation] = (await new OrgsAPI(influx).getOrgs({ org: "home" })).orgs;
const buckets = new BucketsAPI(influx);
const found = (await buckets.getBuckets({ orgID: organisation.id, name: "node2" })).buckets;
assert.equal(found[0].name, "node2");
const made = await buckets.postBuckets({ body: { orgID: organisation.id, name: "made by node" } });
assert.equal((await buckets.getBucketsID({ bucketID: made.id })).name, "made by node");

// Many points, so that they are compressed.
const write = influx.getWriteApi("home", "node2", "ms", { gzipThreshold: 100, maxRetries: 0 });
write.useDefaultTags({ room: "a b" });
for (let n = 0; n < 100; n += 1) {
  write.writePoint(new Point("node2").floatField("temp", 21.5 + n).booleanField("on", true).timestamp(Date.now() - n));
}
write.writePoint(new Point("node2").stringField("note", 'say "hi", = \\'));
await write.close();

const wrong = influx.getWriteApi("home", "node2", "ns", { maxRetries: 0 });
wrong.writeRecord("node2 nothing");
wrong.writeRecord("node2 good=1");
await assert.rejects(wrong.close(), (error) => {
  assert(error instanceof HttpError && error.statusCode === 400);
  return error.message.includes("partial write: ") && error.message.includes("dropped=1");
});
const file = `${folder}/node_modules/@influxdata/influxdb-client/package.json`;
console.log(JSON.parse(readFileSync(file, "utf8")).version);
