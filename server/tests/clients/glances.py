"""Glances, which exports the figures of a machine: the exporter that the second argument names, for two rounds."""

import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from urllib.parse import urlsplit

address, exporter = urlsplit(sys.argv[1]), sys.argv[2]
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
    command += ["--stop-after", "3", "--disable-check-update", "--disable-plugin", "all", "--enable-plugin", "load,mem"]
    # Only when it prints something does it stop by itself.
    command += ["--stdout", "load.min1"]
    done = subprocess.run(command, env={**os.environ, "HOME": folder}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
print(version("glances"))
