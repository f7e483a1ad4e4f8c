"""The deployed API, by way of its gateway."""

import http.client
import json
import urllib.parse

import deployment
import engine


class Api:
    """The API, as a client with a credential meets it."""

    def __init__(self, **credential):
        self.host = urllib.parse.urlsplit(deployment.output("ApiUrl")).netloc
        self.credential = credential

    def call(self, method, path, body=None, want=None, **headers):
        """Asks; gives the status, the headers and what was answered. Another status than that is a failure, but for a
        service that is busy: it is asked again, as any client would."""
        answer = engine.wait_until("the service", lambda: self.ask(method, path, body, want, headers))
        if want is not None and answer[0] != want:
            raise AssertionError(f"{method} {path}: {answer[0]}, not {want}: {answer[2]}")
        return answer

    def ask(self, method, path, body, want, headers):
        """Asks once; nothing, if it is to be asked again."""
        # The gateway knows an API by its host.
        all_headers = {"Host": self.host, "Sec-Fetch-Site": "same-origin", **self.credential}
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", engine.PORT, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), all_headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if want is not None and answer.status == 503:
            return None
        return answer.status, answer.headers, json.loads(text) if text else None
