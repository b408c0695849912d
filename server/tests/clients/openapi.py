"""Uses the client that openapi-python-client made of the document, against a running server."""

import sys

from pulse.api.past import history, list_series
from pulse.api.push import push_many, push_one
from pulse.api.server import judge, rejected
from pulse.client import Client
from pulse.models.problem import Problem
from pulse.models.pushed_number import PushedNumber

client = Client(base_url=sys.argv[1])

answer = push_one.sync_detailed("ops/temp", client=client, body=PushedNumber(value=42.5))
assert answer.status_code == 204, answer
answer = push_one.sync_detailed("ops/up", client=client, body=PushedNumber(value=True))
assert answer.status_code == 204, answer
refused = push_one.sync("a b", client=client, body=PushedNumber(value=1.0))
assert isinstance(refused, Problem) and refused.errors[0].field == "series", refused

names = [series.name for series in list_series.sync(client=client)]
assert names == ["ops/temp", "ops/up"], names
past = history.sync(client=client, series=["ops/temp"])
assert past[0].series == "ops/temp" and past[0].buckets[0].last == 42.5, past
inbox = rejected.sync(client=client)
assert inbox.total == 1 and inbox.rejected[0].reason == "name", inbox
