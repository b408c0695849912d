"""The client of InfluxDB 1 for Python: the package influxdb."""

import sys
import time
from importlib.metadata import version
from urllib.parse import urlsplit

from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

address = urlsplit(sys.argv[1])
client = InfluxDBClient(address.hostname, address.port, "user", "password", "python1", gzip=True)
assert client.ping(), "the header X-Influxdb-Version has the version"
client.create_database("python1")
assert {"name": "python1"} in client.get_list_database()
client.create_retention_policy("short", "1h", "1", database="python1")
assert client.get_list_retention_policies()[0]["name"] == "autogen"

now = time.time_ns()
points = [
    {"measurement": "python1", "tags": {"room": "a b"}, "time": now, "fields": {"temp": 21.5, "on": True, "n": 3}},
    {"measurement": "python1", "tags": {"room": "a b"}, "time": now, "fields": {"note": 'two\nlines, "quoted"'}},
]
assert client.write_points(points)
assert client.write_points([{**points[0], "time": now // 1_000_000 + 1}], time_precision="ms")
# Home Assistant begins with this.
assert client.write_points([])
assert client.write(["python1,room=b temp=1"], params={"db": "python1"}, protocol="line")
try:
    client.write_points([{**points[0], "fields": {"temp": "hot", "good": 1}}])
    raise AssertionError("a text where numbers are is refused")
except InfluxDBClientError as error:
    assert error.code == 400 and "partial write: field type conflict" in str(error), error
try:
    client.query('SELECT * FROM "python1"')
    raise AssertionError("it cannot be queried")
except InfluxDBClientError as error:
    assert error.code == 400 and "SELECT * is not known here" in str(error), error
client.close()
print(version("influxdb"))
