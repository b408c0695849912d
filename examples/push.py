"""Pushes numbers with Python's standard library, and sends them again while the server cannot be reached.

Usage: push.py SERIES [SERVER]    reads a number per line from standard input, such as: seq 5 | push.py example/steps
"""

import json
import sys
import time
import urllib.error
import urllib.request

RETRIES = 8


def push(server, points):
    """Stores all points, or none. Raises OSError if the server refuses them or cannot be reached for some minutes.

    Each point has its own time, so the server stores it once, however often it is sent.
    """
    body = "\n".join(json.dumps(point) for point in points).encode()
    request = urllib.request.Request(f"{server}/in", data=body, method="POST")
    for attempt in range(RETRIES):
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except urllib.error.HTTPError as error:
            # The server says what is wrong with a push. Only if it is overloaded does it help to try again.
            if error.code != 503:
                raise OSError(f"{error.code}: {error.read().decode()}") from error
        except OSError as error:
            print(f"cannot reach {server}: {error}", file=sys.stderr)
        time.sleep(min(2**attempt / 4, 30))
    raise OSError(f"gave up after {RETRIES} attempts")


def main(series, server="http://localhost:7878"):
    for line in sys.stdin:
        push(server, [{"series": series, "value": float(line), "ts": time.time_ns() // 1_000_000}])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
