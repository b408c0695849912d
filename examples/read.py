"""Reads the live stream with Python's standard library, and continues after an interruption without missing a change.

Usage: read.py SELECTOR [SERVER]    such as: read.py 'example/**'
"""

import http.client
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# Seconds of silence after which the connection counts as lost. The server sends a heartbeat every 15 seconds.
SILENCE = 45


def events(server, selector):
    """Yields the events of the stream for ever, each as a dictionary with a `type`."""
    address = f"{server}/sse?{urllib.parse.urlencode({'series': selector})}"
    last_id = None
    while True:
        request = urllib.request.Request(address)
        if last_id is not None:
            request.add_header("Last-Event-ID", last_id)
        try:
            with urllib.request.urlopen(request, timeout=SILENCE) as stream:
                event_id = None
                for line in stream:
                    field, _, value = line.decode().rstrip("\r\n").partition(": ")
                    if field == "id":
                        event_id = value
                    elif field == "data":
                        yield json.loads(value)
                        # Only now: an event that was cut off is sent again.
                        last_id = event_id
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise OSError(f"{error.code}: {error.read().decode()}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            print(f"reconnecting: {error}", file=sys.stderr)
        time.sleep(1)


def main(selector, server="http://localhost:7878"):
    for event in events(server, selector):
        for series in event.get("series", []):
            value = series.get("value", series.get("text"))
            print(event["type"], series["name"], value, series.get("ts"), flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
