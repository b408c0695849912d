"""The client of InfluxDB 3 for Python: the package influxdb3-python."""

import sys
import time
from importlib.metadata import version

from influxdb_client_3 import InfluxDBClient3, Point, WriteOptions, write_client_options
from influxdb_client_3.exceptions import InfluxDBError
from influxdb_client_3.write_client.client.write_api import SYNCHRONOUS, WriteType

now = time.time_ns()
for name, use_v2_api in [("python3", True), ("python3b", False)]:
    options = write_client_options(
        write_options=WriteOptions(write_type=WriteType.synchronous, use_v2_api=use_v2_api)
    )
    with InfluxDBClient3(sys.argv[1], token="token", database=name, write_client_options=options) as client:
        assert client.get_server_version()
        client.write(Point(name).tag("room", "a b").field("temp", 21.5).field("on", True).time(now))
        client.write([f"{name} second=1", f"{name} note=\"text\" {now}"])
        try:
            client.write([f"{name} note=1", f"{name} good=1", f"{name} wrong"])
            raise AssertionError("two lines are wrong")
        except InfluxDBError as error:
            assert "partial write: " in str(error), error
with InfluxDBClient3(sys.argv[1], token="token", database="python3") as client:
    client.write(Point("python3").field("batched", 1))
print(version("influxdb3-python"))
