"""Deploys the templates, as they are shipped, to an AWS of this machine's own, and uses what stands there.

    run.py every-function    one binary that serves each function as its Handler says
    run.py FOLDER            a binary a function, under its name

AWS is ministack. It runs in a network namespace that has loopback alone, with an address on it that is none of loopback's,
since functions send webhooks to no other. Needs Linux on x86-64, and root or unprivileged user namespaces.
"""

import pathlib
import subprocess
import sys
import time

import deployment
import engine
import faults
import life
import main_job
import sample_events

XTASK = pathlib.Path(__file__).parents[2] / "target/debug/xtask"


def main(binaries):
    with engine.running({"AUTH": "true"}):
        part("deployed, where roles are enforced", lambda: deployment.deploy(binaries))
        # Before any function has read the data keys, which the sample mail is sealed under.
        subprocess.run([XTASK, "seed"], check=True)
        job = part("a client, its fields and values", main_job.start)
        part("every function's sample event", sample_events.invoke_all)
        part("a webhook that failed once and came again", job.finish)
    # Roles go by signatures, which no proxy leaves as they are.
    with engine.running({"AUTH": "false", "AWS_ENDPOINT_URL": engine.PROXY}):
        root = part("deployed behind a proxy", lambda: deployment.deploy(binaries))
        job = main_job.start()
        part("throttles, conflicts and lost answers", lambda: faults.run(job))
        part("a name that is too long", lambda: life.refuse_a_long_name(root))
        part("deleted, and made again", lambda: life.delete_and_make_again(root))


def part(name, work):
    began = time.monotonic()
    result = work()
    print(f"aws: {name}: {time.monotonic() - began:.0f} s", flush=True)
    return result


if __name__ == "__main__":
    engine.enter_namespace()
    main(pathlib.Path(sys.argv[1]).resolve())
