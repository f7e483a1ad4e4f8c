"""ministack, and microburst before it, on loopback in a network namespace of their own."""

import contextlib
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

# Nothing else is in the namespace, so that every port is free.
PORT = 4566
DIRECT = f"http://127.0.0.1:{PORT}"
# The same by way of microburst, which hands everything on until it is told otherwise.
PROXY_PORT = 9999
PROXY = f"http://127.0.0.1:{PROXY_PORT}"
# Where webhooks are received: an address that a function may send to, though it is on loopback's device.
PUBLIC = "11.11.11.11"

INSIDE = "HEDGEROW_TEST_NAMESPACE"
BIN = pathlib.Path(sys.executable).parent


def enter_namespace():
    """Starts this program anew in a network namespace, unless it is in one."""
    if INSIDE not in os.environ:
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *as_root, "--net"]
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode:
            sys.exit("aws: no network namespace can be made: run this as root, or allow unprivileged user namespaces")
        os.environ[INSIDE] = "1"
        os.execvp(command[0], [*command, sys.executable, *sys.argv])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, address in [("lo", "127.0.0.1"), ("lo:1", PUBLIC)]:
            family = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, 0x8916, struct.pack("16s16s8x", name.encode(), family))  # SIOCSIFADDR
            fcntl.ioctl(control, 0x8914, struct.pack("16sH22x", name.encode(), 0x1 | 0x40))  # SIOCSIFFLAGS: up, running


@contextlib.contextmanager
def running(settings):
    """Both, with nothing in them, until the block ends. The settings are ministack's."""
    account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ.update(account, AWS_REGION="us-east-1", AWS_ENDPOINT_URL=DIRECT, NO_PROXY="*")
    settings = settings | {
        "GATEWAY_PORT": str(PORT),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
    }
    proxy = ["microburst", "--upstream", DIRECT, "--host", "127.0.0.1", "--port", str(PROXY_PORT), "--no-resign"]
    with contextlib.ExitStack() as started:
        folder = started.enter_context(tempfile.TemporaryDirectory())
        log = started.enter_context(open(f"{folder}/log", "wb"))
        for name, *arguments in (["ministack"], proxy):
            command = [BIN / name, *arguments]
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **settings})
            started.callback(process.wait)
            started.callback(process.terminate)
        wait_until("ministack answers", lambda: answers(f"{DIRECT}/_ministack/health"))
        wait_until("microburst answers", lambda: answers(f"{PROXY}/_microburst/rules"))
        yield


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def wait_until(what, is_so, seconds=60):
    """Waits for what a call says, and gives that; fails when time is over."""
    end = time.monotonic() + seconds
    while True:
        value = is_so()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.2)


def client(service):
    """An SDK client that asks ministack itself."""
    config = Config(s3={"addressing_style": "path"}, read_timeout=300, retries={"max_attempts": 1})
    return boto3.client(service, endpoint_url=DIRECT, region_name="us-east-1", config=config)
