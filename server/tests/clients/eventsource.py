"""Reads a stream with one of the EventSource clients of PyPI, as its documentation says, and prints a line of JSON for each
event. The first line has the version of the client. None of them comes back by itself, so each is asked to in a loop.

Usage: eventsource.py CLIENT URL
"""

import asyncio
import json
import sys
import time
from importlib.metadata import version

# Seconds between two tries.
AGAIN = 0.2


def line(value):
    print(json.dumps(value), flush=True)


def after(last_id):
    return {"Last-Event-ID": last_id} if last_id else {}


def sseclient_py(url):
    import requests
    import sseclient

    last_id = None
    while True:
        try:
            headers = {"Accept": "text/event-stream", **after(last_id)}
            with requests.get(url, stream=True, headers=headers) as answer:
                answer.raise_for_status()
                for event in sseclient.SSEClient(answer).events():
                    line({"id": event.id, "data": event.data})
                    last_id = event.id
        except requests.RequestException:
            pass
        time.sleep(AGAIN)


def httpx_sse(url):
    import httpx
    from httpx_sse import connect_sse

    last_id = None
    with httpx.Client(timeout=None) as client:
        while True:
            try:
                with connect_sse(client, "GET", url, headers=after(last_id)) as source:
                    for event in source.iter_sse():
                        line({"id": event.id, "data": event.data})
                        last_id = event.id
            except httpx.TransportError:
                pass
            time.sleep(AGAIN)


def aiosseclient(url):
    import aiohttp
    from aiosseclient import aiosseclient as events

    async def read():
        last_id = None
        while True:
            try:
                async for event in events(url, last_id=last_id, raise_for_status=True):
                    line({"id": event.id, "data": event.data})
                    last_id = event.id
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(AGAIN)

    asyncio.run(read())


CLIENTS = {"sseclient-py": sseclient_py, "httpx-sse": httpx_sse, "aiosseclient": aiosseclient}

if __name__ == "__main__":
    name, address = sys.argv[1:]
    line({"version": version(name)})
    CLIENTS[name](address)
