"""What Hedgerow is for: fields are defined, values saved and read, and a webhook is told, also if it fails at first."""

import engine
from gateway import Api
from receiver import PORT, Receiver

VALUES = "/api/v1/tenants/acme/field-groups/contact/entities/{}/values"


def start():
    """Opens an account, defines, saves and reads; gives what goes on with it."""
    public = Api()
    public.call("GET", "/api/health", want=200)
    public.call("GET", "/api/openapi.json", want=200)
    account = {"clientName": "Test", "email": "test@example.com", "password": "correct horse battery"}
    _, headers, _ = public.call("POST", "/api/auth/signup", account, want=201)
    session = Api(Cookie=headers["set-cookie"].split(";")[0])
    session.call("GET", "/api/auth/session", want=200)
    _, _, key = session.call("POST", "/api/v1/api-keys", {"name": "Test", "type": "management"}, want=201)
    job = Job(Api(**{"X-API-Key": key["data"]["key"]}))

    _, _, group = job.api.call("POST", "/api/v1/field-groups", {"key": "contact", "name": "Contact"}, want=201)
    email = {"key": "email", "label": "E-mail", "fieldGroupIds": [group["data"]["id"]]}
    email["schema"] = {"type": "email", "validation": {"required": True}}
    job.api.call("POST", "/api/v1/global-fields", email, want=201)
    job.open("/fails-once", failures=1)
    values = VALUES.format("customer-17")
    job.api.call("POST", values, {"email": "ada@example.com"}, want=200, Idempotency_Key="1")
    _, headers, _ = job.api.call("POST", values, {"email": "ada@example.com"}, want=200, Idempotency_Key="1")
    assert headers["idempotency-replayed"] == "true", headers
    _, _, read = job.api.call("GET", values, want=200)
    assert (read["data"]["values"], read["data"]["version"]) == ({"email": "ada@example.com"}, 1), read
    job.api.call("POST", values, {"email": "nobody"}, want=422)
    job.api.call("GET", "/api/v1/nothing", want=404)
    Api(**{"X-API-Key": "hr_live_" + "0" * 40}).call("GET", values, want=401)
    return job


class Job:
    """A client's key, and the receiver of its webhooks."""

    def __init__(self, api):
        self.api, self.receiver = api, Receiver()

    def open(self, path, failures=0):
        """Makes a webhook that hears of saves at a path of the receiver, which fails so often."""
        webhook = {"url": f"http://{engine.PUBLIC}:{PORT}{path}", "events": ["field_value.saved"]}
        _, _, made = self.api.call("POST", "/api/v1/webhooks", webhook, want=201)
        self.receiver.open(path, made["data"]["secret"], failures)

    def finish(self):
        """Waits for the delivery that failed: the first retry comes after a minute."""
        arrived = engine.wait_until("the retry", lambda: self.receiver.at("/fails-once")[1:], 120)
        first = self.receiver.at("/fails-once")[0]
        again = arrived[0]
        assert (first.status, again.status) == (503, 204), (first, again)
        assert first.webhook_id == again.webhook_id and first.envelope["eventId"] == again.envelope["eventId"]
        assert again.envelope["data"]["values"] == {"email": "ada@example.com"}, again
        assert again.at - first.at > 50, f"tried again after {again.at - first.at:.0f} s"
        self.receiver.close()
