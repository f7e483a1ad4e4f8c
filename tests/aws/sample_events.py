"""Every function answers its own sample event, on the account that these speak of, under its own role."""

import json
import pathlib

import deployment
import engine

EVENTS = pathlib.Path(__file__).parents[2] / "events"

# What erases the sample tenant, closes the sample account, ends its sessions, changes its password or ends the sample reset of it: after all others.
LAST = [
    "delete-tenant",
    "delete-client",
    "end-session",
    "change-password",
    "end-other-sessions",
    "log-out",
    "confirm-password-reset",
    "request-password-reset",
]

OTHERS = {
    "route-not-found": [404],
    # No code that is written down is of this moment.
    "confirm-totp": [422],
    # The deployment takes no payments.
    "create-checkout": [409],
    "create-portal": [409],
    "take-stripe-event": [409],
}


def invoke_all():
    """Invokes them, one after another."""
    names = sorted(path.stem for path in EVENTS.glob("*.json"))
    names.sort(key=lambda name: LAST.index(name) + 1 if name in LAST else 0)
    deployed = {function["FunctionName"] for function in functions()}
    assert deployed == {f"{deployment.STACK}-{name}" for name in names}, deployed
    wrong = {name: answer for name in names if not is_right(name, answer := invoke(name))}
    assert not wrong, "\n".join(f"{name}: {answer}: {deployment.log_of(name)}" for name, answer in wrong.items())


def functions():
    pages = engine.client("lambda").get_paginator("list_functions").paginate()
    return [function for page in pages for function in page["Functions"]]


def invoke(name):
    event = (EVENTS / f"{name}.json").read_bytes()
    answer = engine.client("lambda").invoke(FunctionName=f"{deployment.STACK}-{name}", Payload=event)
    return answer.get("FunctionError"), json.loads(answer["Payload"].read() or b"null")


def is_right(name, answer):
    error, answer = answer
    if error:
        return False
    if "statusCode" not in answer:
        # A function that no route reaches says which records it could not deal with.
        return answer["batchItemFailures"] == []
    return answer["statusCode"] in OTHERS.get(name, range(200, 300))
