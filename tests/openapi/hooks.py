"""What no description can say of a request, for schemathesis."""

import itertools
import re
import unicodedata

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse

numbers = itertools.count()


def cursor(case):
    """A cursor is one that the same list has answered."""
    (case.query or {}).pop("cursor", None)


def idempotency_key(case):
    """A key belongs to the first request that was sent under it."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]([ -~]*[!-~])?", key) and len(key) <= 255:
        case.headers["Idempotency-Key"] = f"{next(numbers)} {key}"[:255].rstrip()


def precondition(case):
    """A write takes one of the two headers."""
    if "If-Match" in (case.headers or {}):
        case.headers.pop("If-None-Match", None)


def url(case):
    """Webhooks are sent for real, and to nobody (RFC 6761 §6.4); where they may go is the deployment's to say."""
    if isinstance(case.body, dict) and "url" in case.body:
        case.body["url"] = f"https://receiver-{next(numbers)}.invalid/"


def times(case):
    """`since` is not in the future, `expiresAt` is not in the past."""
    if isinstance(case.body, dict):
        for member, year in [("since", "2020"), ("expiresAt", "2990")]:
            if text := case.body.get(member):
                case.body[member] = year + text[4:].replace("-02-29T", "-02-28T")


def field_schema(case):
    """Bounds are in order, options differ, the default obeys the rules."""
    schema = case.body.get("schema") if isinstance(case.body, dict) else None
    if not schema:
        return
    rules = schema.get("validation") or {}
    for least, most in [("minLength", "maxLength"), ("min", "max"), ("minItems", "maxItems")]:
        if rules.get(least) is not None and rules.get(most) is not None:
            rules.pop(least)
    if rules.get("integer"):
        for bound in ["min", "max"]:
            if abs(rules.get(bound) or 0) > 2**53:
                rules.pop(bound)
    if rules.get("required"):
        for most in ["maxLength", "maxItems"]:
            if rules.get(most) == 0:
                rules.pop(most)
    if options := rules.get("options"):
        value = lambda option: option["value"] if isinstance(option, dict) else option
        rules["options"] = list({unicodedata.normalize("NFC", value(one)).strip(): one for one in options}.values())
        rules.pop("minItems", None)
    if rules:
        schema.pop("default", None)


def header_names(case):
    """The names of headers differ without regard to case; `null` keeps a value that there is."""
    headers = case.body.get("headers") if isinstance(case.body, dict) else None
    if headers:
        differ = {name.lower(): (name, value) for name, value in headers.items() if value is not None}
        case.body["headers"] = dict(differ.values())


RULES = [cursor, precondition, url, times, field_schema, header_names]


@schemathesis.hook
def map_case(context, case):
    idempotency_key(case)
    if case.meta is None or case.meta.generation.mode.is_positive:
        for rule in RULES:
            rule(case)
    return case


# What a request of the right form is refused for, because of what the account holds.
STATE = {
    "fieldGroupIds not_found": "a field is in groups that there are",
    "permissions not_for_type": "they are changed of a management key alone",
    "unknown_field": "the keys of values are those of the group's fields",
    "invisible_character": "joiners stand where a letter needs them",
    "number_not_exact": "a number is one that a double holds as it is written",
    "limit_reached": "the account has room for one more",
    "code not_set_up": "a code is confirmed where a second factor is being set up",
    "too_easy": "a password is not easily guessed",
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # Under other methods it is a member whose identifier is none.
    if case.operation.path == "/api/v1/members/invitations" and isinstance(failure, UnsupportedMethodResponse):
        return False
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    answer = response.json()
    if answer["error"] in STATE:
        return False
    fields = answer.get("details", {}).get("fields", [])
    known = [field["code"] in STATE or f"{field['path'].split('[')[0]} {field['code']}" in STATE for field in fields]
    return not known or not all(known)
