"""Runs schemathesis over a fresh account with an API key, and over another with a session.

    run.py HEDGEROW    the program to test, on a port and in a data folder of its own
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).parent
SCHEMATHESIS = pathlib.Path(sys.executable).with_name("schemathesis")


def main(program):
    os.environ["NO_PROXY"] = "127.0.0.1"
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "wb") as log:
        # No webhook leads anywhere: their hosts end in `.invalid` (hooks.py).
        command = [program, "dev", "--listen", "127.0.0.1:0", "--data", f"{folder}/data", "--webhook-targets", "public"]
        # What is allowed is refused to nobody for coming fast.
        command += [f"--limit={name}=1000000/1" for name in ("address", "session", "management")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            base = server.stdout.readline().split()[-1]
            runs = [(name, start(base, credential)) for name, credential in CREDENTIALS.items()]
            results = [finish(name, run) for name, run in runs]
        finally:
            server.terminate()
            server.wait()
    return max(results)


def start(base, credential):
    # A session's changes come from a page of the deployment (contract: Credentials).
    headers = [": ".join(credential(base)), "Sec-Fetch-Site: same-origin"]
    command = [SCHEMATHESIS, "run", f"{base}/api/openapi.json", "--no-color"]
    command += [word for header in headers for word in ("--header", header)]
    return subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)


def finish(name, run):
    """Prints all that schemathesis said if it found something, else its closing lines."""
    said, _ = run.communicate()
    closing = said[: said.find("= SUMMARY =")].rfind("\n") + 1
    print(f"schemathesis, with {name}:\n{said if run.returncode else said[closing:]}", flush=True)
    return run.returncode


def session(base, address="session@example.com"):
    account = {"email": address, "password": "correct horse battery", "clientName": "Schemathesis"}
    with post(f"{base}/api/auth/signup", account) as answer:
        return "Cookie", answer.headers["Set-Cookie"].split(";")[0]


def api_key(base):
    cookie = dict([session(base, "key@example.com")])
    with post(f"{base}/api/v1/api-keys", {"name": "Schemathesis", "type": "management"}, cookie) as answer:
        return "X-API-Key", json.load(answer)["data"]["key"]


CREDENTIALS = {"an API key": api_key, "a session": session}


def post(url, body, headers={}):
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"} | headers
    return urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
