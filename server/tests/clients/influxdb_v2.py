"""The client of InfluxDB 2 for Python: the package influxdb-client."""

import sys
import time
from importlib.metadata import version

from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import ASYNCHRONOUS, SYNCHRONOUS
from influxdb_client.rest import ApiException

now = time.time_ns()
with InfluxDBClient(sys.argv[1], "token", org="home", enable_gzip=True) as client:
    assert client.ping() and client.version()
    assert client.health().status == "pass" and client.ready().status == "ready"
    buckets = client.buckets_api()
    assert buckets.find_bucket_by_name("python2").name == "python2"
    organisation = client.organizations_api().find_organizations(org="home")[0]
    made = buckets.create_bucket(bucket_name="made", org_id=organisation.id)
    assert buckets.find_bucket_by_id(made.id).name == "made"
    assert {"made", "python2"} <= {bucket.name for bucket in buckets.find_buckets_iter()}

    write = client.write_api(write_options=SYNCHRONOUS)
    point = Point("python2").tag("room", "a b").field("temp", 21.5).field("on", True).field("n", 3).time(now)
    write.write("python2", record=[point, Point("python2").tag("room", "a b").field("note", 'say "hi"\n\\').time(now)])
    write.write("python2", record=Point("python2").field("ms", 1).time(now // 1_000_000, WritePrecision.MS))
    # Home Assistant begins with this.
    write.write(bucket="python2", record=b"")
    client.write_api(write_options=ASYNCHRONOUS).write("python2", record="python2 later=1").get()
    try:
        write.write("python2", record=["python2,room=a\\ b temp=\"hot\",good=1", "python2 nothing"])
        raise AssertionError("two lines are wrong")
    except ApiException as error:
        assert error.status == 400 and error.message.startswith("partial write: "), error
        assert error.message.endswith("dropped=2"), error

    failed = []
    options = WriteOptions(batch_size=100, flush_interval=100, max_retries=0)
    told = lambda _conf, _data, error: failed.append(error)
    with client.write_api(write_options=options, error_callback=told) as batches:
        for n in range(250):
            batches.write("python2", record=f"python2,batch=yes n={n} {now - n}")
        batches.write("python2", record="python2 wrong")
    assert len(failed) == 1 and isinstance(failed[0], InfluxDBError) and "dropped=1" in failed[0].message, failed
print(version("influxdb-client"))
