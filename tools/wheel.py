#!/usr/bin/env python3
"""Packs the binary as a wheel, so that `pip install` puts it on the PATH.

Usage: tools/wheel.py BINARY VERSION MACHINE FOLDER

The format is PyPA's "Binary distribution format"; the binary is a script in the sense of that format.
"""

import base64
import hashlib
import pathlib
import stat
import sys
import zipfile

# A static binary runs with any C library: both families of tags hold.
PLATFORMS = ["manylinux_2_17", "musllinux_1_1"]

METADATA = """\
Metadata-Version: 2.1
Name: pulseboard
Version: {version}
Summary: Push a number with curl, watch it move in every open browser.
License: MIT OR Apache-2.0
Description-Content-Type: text/markdown

{readme}"""

WHEEL = """\
Wheel-Version: 1.0
Generator: pulseboard
Root-Is-Purelib: false
{tags}
"""


def main(binary: str, version: str, machine: str, folder: str) -> None:
    tags = [f"py3-none-{platform}_{machine}" for platform in PLATFORMS]
    platforms = ".".join(f"{platform}_{machine}" for platform in PLATFORMS)
    info = f"pulseboard-{version}.dist-info"
    readme = pathlib.Path("README.md").read_text(encoding="utf-8")
    files = {
        f"pulseboard-{version}.data/scripts/pulseboard": pathlib.Path(binary).read_bytes(),
        f"{info}/METADATA": METADATA.format(version=version, readme=readme).encode(),
        f"{info}/WHEEL": WHEEL.format(tags="\n".join(f"Tag: {tag}" for tag in tags)).encode(),
    }
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()

    path = pathlib.Path(folder) / f"pulseboard-{version}-py3-none-{platforms}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # pip makes executable only what is a regular file with that mode.
            entry.external_attr = (stat.S_IFREG | (0o755 if "/scripts/" in name else 0o644)) << 16
            wheel.writestr(entry, data)
    print(f"==> {path}")


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
