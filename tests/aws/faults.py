"""Between the functions and AWS, calls are throttled, collide, and lose their answers after they were carried out."""

import collections
import json
import urllib.request

import engine
from main_job import VALUES

SAVES = 30

CONFLICT = {
    "code": "TransactionCanceledException",
    "status": 400,
    "message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
    "fields": {"CancellationReasons": [{"Code": "TransactionConflict"}]},
}
# Of each kind a share of the calls, in turn rather than by chance.
RULES = [
    {"service": "dynamodb", "sequence": [1, 11], "error": {"code": "ThrottlingException"}},
    {"service": "dynamodb", "operation": "TransactWriteItems", "sequence": [1, 8], "error": CONFLICT},
    {"service": "dynamodb", "operation": "PutItem", "sequence": [1, 8], "response": {"abort_frac": 0.3}},
    {"service": "dynamodb", "operation": "UpdateItem", "sequence": [1, 8], "response": {"abort_frac": 0.3}},
    {"service": "sqs", "sequence": [1, 8], "error": {"code": "ThrottlingException", "status": 400}},
]


def run(job):
    """Saves, each until it is answered, and waits for what is announced of it."""
    job.open("/under-faults")
    rules(RULES)
    try:
        values = VALUES.format("under-faults")
        for number in range(1, SAVES + 1):
            engine.wait_until("the save", lambda: saved(job.api, values, number), 120)
        events = engine.wait_until("the deliveries", lambda: all_of(job.receiver.at("/under-faults")), 180)
    finally:
        fired = rules([])
    assert len(fired) > 3, f"too few faults: {fired}"
    # Carried out once each, and announced by one event each, however often that was delivered.
    _, _, read = job.api.call("GET", values, want=200)
    assert read["data"]["version"] == SAVES, read
    said = {(event["data"]["version"], event["data"]["values"]["email"]) for event in events.values()}
    assert said == {(number, address(number)) for number in range(1, SAVES + 1)}, said
    print(f"aws: {SAVES} saves through {dict(fired)}")


def saved(api, values, number):
    """Saves under a key of its own; whether it was answered as it should."""
    status, _, answer = api.call("POST", values, {"email": address(number)}, Idempotency_Key=f"fault-{number}")
    # Or the answer that was to be kept under the key got lost: it is looked for again when the first try is surely over.
    if status in (500, 503) or answer.get("error") == "idempotency_in_progress":
        return False
    # The first makes it; or it was carried out when its answer was lost, and this tells what was answered.
    assert status in (200, 201), (status, answer)
    assert answer["data"]["version"] == number, answer
    return True


def address(number):
    return f"ada{number}@example.com"


def all_of(arrived):
    """The events that came, by their identifier, when there is one a save."""
    events = {one.envelope["eventId"]: one.envelope for one in arrived if one.status == 204}
    return events if len(events) >= SAVES else None


def rules(new):
    """Puts rules in place of those that there are; gives how often which fault fired."""
    fired = json.load(urllib.request.urlopen(f"{engine.PROXY}/_microburst/fired"))
    fired = fired if isinstance(fired, list) else fired["fired"]
    request = urllib.request.Request(f"{engine.PROXY}/_microburst/rules", json.dumps(new).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).close()
    return collections.Counter(f"{one['operation']} {one['action']}" for one in fired)
