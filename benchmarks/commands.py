"""What both programs of `decoder.py` answer: a command a line, a line of JSON each."""

import json
import resource
import sys
import time
from collections.abc import Callable

import torch


def answer(training: type, reading: type, agreement: Callable) -> None:
    """Answer commands from standard input until there are none.

    Parameters
    ----------
    training : has a method `step`
    reading : has a method `batch`
    agreement : answered with what it returns
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    work, clock = None, time.perf_counter
    for line in sys.stdin:
        command, given = json.loads(line)
        found = None
        if command == "start":
            torch.set_num_threads(given["threads"])
            clock = time.process_time if given["processor_time"] else time.perf_counter
        elif command == "training":
            work = None  # its memory first
            work = training(**given)
        elif command == "reading":
            work = reading(**given)
        elif command == "agreement":
            found = agreement(**given)
        elif command in ("step", "batch"):
            start = clock()
            getattr(work, command)(**given)
            found = clock() - start
        elif command == "peak_mb":
            found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found), file=answers, flush=True)
