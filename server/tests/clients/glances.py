"""Glances, which exports the figures of a machine: the exporter that the second argument names, until its series are there."""

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from time import monotonic
from urllib.parse import urlsplit
from urllib.request import urlopen

address, exporter = urlsplit(sys.argv[1]), sys.argv[2]
prefix = {"influxdb": "v1", "influxdb2": "v2", "influxdb3": "v3"}[exporter]


def missing_after(seconds):
    """Reads the server's stream until the series of both plugins have been seen, for so long at most. Returns what is missing."""
    wanted = {"load": "min1", "mem": "percent"}
    selectors = "&".join(f"series={prefix}.{plugin}/*/{field}" for plugin, field in wanted.items())
    end = monotonic() + seconds
    with urlopen(f"{sys.argv[1]}/sse?{selectors}", timeout=seconds) as stream:
        for line in stream:
            for plugin in list(wanted):
                if f'"{prefix}.{plugin}/' in line.decode():
                    del wanted[plugin]
            if not wanted or monotonic() > end:
                break
    return wanted


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "glances.conf")
    with open(path, "w") as conf:
        conf.write(f"""[influxdb]
host=localhost
port={address.port}
user=root
password=root
db=glances
prefix=v1

[influxdb2]
host=localhost
port={address.port}
protocol=http
org=home
bucket=glances
token=token
prefix=v2

[influxdb3]
host=http://localhost:{address.port}
port={address.port}
org=home
database=glances
token=token
prefix=v3
""")
    command = [sys.executable, "-m", "glances", "-C", path, "--export", exporter, "--time", "1"]
    command += ["--disable-check-update", "--disable-plugin", "all", "--enable-plugin", "load,mem"]
    command += ["--stdout", "load.min1"]
    # It runs until it is ended, as on a machine that it watches: at its own end (`--stop-after`) influxdb-client's batching
    # writer can wait for itself for ever.
    glances = subprocess.Popen(command, env={**os.environ, "HOME": folder}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        missing = missing_after(60)
    finally:
        glances.kill()
        errors = glances.communicate()[1].decode()
    assert not missing, f"{missing} did not come: {errors}"
print(version("glances"))
