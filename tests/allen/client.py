"""Commands of one route, each in a fork of one process that has imported the route's client once.

    python tests/allen/client.py ROUTE

Says "ready", then reads a line of JSON for each order and answers with one: ["start", commands,
log, most bytes of a file] runs them one after the other and gives the process id, ["wait", id]
gives what it exited with (a signal's number, negative). Runs in AllenSDK's environment as well.
"""

import json
import os
import resource
import runpy
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "workflow/scripts/allensdk_client.py"
IMPORTS = {
    "api": ["allensdk.core.brain_observatory_cache", "glasscortex.data.allen.catalogue"],
    "s3": ["obstore.store", "glasscortex.cli", "glasscortex.data.allen.bucket"],
}
LONGEST_S = 300
"""A command that hangs is ended, and its test fails."""


def start(route: str, commands: list[list[str]], log: str, most_bytes: int | None) -> int:
    child = os.fork()
    if child:
        return child
    os.setsid()
    signal.alarm(LONGEST_S)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    code = 0
    for command in commands:
        code = code or run(route, command)
    os._exit(code)


def run(route: str, arguments: list[str]) -> int:
    sys.argv[1:] = arguments
    try:
        if route == "api":
            runpy.run_path(str(SCRIPT), run_name="__main__")
        else:
            runpy.run_module("glasscortex", run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def main(route: str) -> None:
    for name in IMPORTS[route]:
        import_module(name)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order, *values = json.loads(line)
        if order == "start":
            answer = start(route, *values)
        else:
            _, status = os.waitpid(values[0], 0)
            answer = os.waitstatus_to_exitcode(status)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
