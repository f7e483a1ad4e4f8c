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

# Set where this runs in a network namespace of its own.
INSIDE = "HEDGEROW_TEST_NAMESPACE"


def port(usual):
    """A port that is free: nothing else is in the namespace."""
    if INSIDE in os.environ:
        return usual
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


PORT, PROXY_PORT = port(4566), port(9999)
DIRECT = f"http://127.0.0.1:{PORT}"
# The same by way of microburst, which hands everything on until it is told otherwise.
PROXY = f"http://127.0.0.1:{PROXY_PORT}"
# Where webhooks are received: an address that a function may send to, though it is on loopback's device.
PUBLIC = "11.11.11.11"

BIN = pathlib.Path(sys.executable).parent


def enter_namespace():
    """Starts this program anew in a network namespace, if there can be one; whether it is in one."""
    if INSIDE not in os.environ:
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *as_root, "--net"]
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode:
            return False
        os.environ[INSIDE] = "1"
        os.execvp(command[0], [*command, sys.executable, *sys.argv])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, address in [("lo", "127.0.0.1"), ("lo:1", PUBLIC)]:
            family = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, 0x8916, struct.pack("16s16s8x", name.encode(), family))  # SIOCSIFADDR
            fcntl.ioctl(control, 0x8914, struct.pack("16sH22x", name.encode(), 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
    return True


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
    proxy = ["--upstream", DIRECT, "--host", "127.0.0.1", "--port", str(PROXY_PORT), "--no-resign"]
    programs = [("ministack", [], f"{DIRECT}/_ministack/health"), ("microburst", proxy, f"{PROXY}/_microburst/rules")]
    with contextlib.ExitStack() as started:
        folder = started.enter_context(tempfile.TemporaryDirectory())
        log = started.enter_context(open(f"{folder}/log", "wb"))
        for name, arguments, url in programs:
            # They end with this program, however that ends.
            command = ["setpriv", "--pdeathsig", "TERM", BIN / name, *arguments]
            # ministack unpacks functions into a folder that is called after its port, which others in a namespace have too.
            environment = {**os.environ, **settings, "TMPDIR": folder}
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
            started.callback(process.wait)
            started.callback(process.terminate)
            wait_until(f"{name} answers", lambda: process.poll() is not None or answers(url))
            if process.poll() is not None:
                raise SystemExit(f"aws: {name} ended: {pathlib.Path(log.name).read_text()[-2000:]}")
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
