"""Training speed, memory and data path of the decoder, beside torch-brain's CalciumPOYOPlus.

    python benchmarks/decoder.py [--json FILE] [--rounds N] [--peer PYTHON] [--device cuda]
    python benchmarks/decoder.py --threads 1 --processor-time
    python benchmarks/decoder.py --oracle tests/decoder/poyo_plus/poyo_plus.npz

The peer (torch-brain 0.1.2) gets an environment of its own, made once in the cache folder of the
user. Each program runs in a process of its own; they take turns, step by step, and the fastest
step of each counts, so that what else the machine does touches all alike. Lines `ratio <what>
<value>` at the end are the peer's time or memory over ours, unless said otherwise.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from decoder_ours import configuration

HERE = Path(__file__).parent
SIZE = {
    "dim": 64,
    "depth": 6,
    "heads": 8,
    "cross_heads": 2,
    "head_dim": 64,
    "latents_per_step": 16,
}
LARGE = SIZE | {"dim": 128, "depth": 24, "cross_heads": 4, "latents_per_step": 32}
TINY = SIZE | {"dim": 16, "depth": 2, "heads": 2, "head_dim": 8, "latents_per_step": 2}
CELLS = 100
PROGRAMS = ("peer", "poyo_plus", "glasscortex", "default")
"""The last two are ours: with as many latents as the peer, and with its own number."""


def peer_python() -> Path:
    """The interpreter of the peer's environment, which is made if it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "glasscortex"
    folder = cache / f"torch-brain-0.1.2-torch-{torch.__version__.partition('+')[0]}"
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        print(f"making the peer's environment in {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"torch=={torch.__version__.partition('+')[0]}"], check=True)
        subprocess.run([*pip, "torch-brain==0.1.2", "brainsets<=0.2.0"], check=True)
        made.touch()
    return python


class Program:
    """A process that carries out commands."""

    def __init__(self, name: str, peer: Path, **start):
        is_peer = name == "peer"
        script = HERE / ("decoder_peer.py" if is_peer else "decoder_ours.py")
        self.architecture = {} if is_peer else {"architecture": name}
        self.process = subprocess.Popen(
            [peer if is_peer else sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self("start", **start)

    def __call__(self, command: str, **given):
        self.process.stdin.write(json.dumps((command, given)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[1]} failed at {command} {given}")
        return json.loads(answer)

    def training(self, **given) -> None:
        self("training", **self.architecture, **given)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Benchmark:
    """All measurements: rows of a table, and ratios."""

    def __init__(self, arguments: argparse.Namespace):
        self.peer = arguments.peer or peer_python()
        self.rounds = arguments.rounds
        self.start = {
            "threads": arguments.threads,
            "processor_time": arguments.processor_time,
        }
        self.rows, self.ratios = [], {}

    def program(self, name: str) -> Program:
        return Program(name, self.peer, **self.start)

    def fastest(self, programs: dict[str, Program], command: str, **given) -> dict[str, float]:
        """Seconds of the fastest of `rounds` turns of each."""
        for program in programs.values():
            program(command, **given)
        turns = [
            {name: program(command, **given) for name, program in programs.items()}
            for _ in range(self.rounds)
        ]
        return {name: min(turn[name] for turn in turns) for name in programs}

    def note(self, what: str, **numbers) -> None:
        self.rows.append({"what": what} | numbers)
        print(f"{what:<42}", *(f"{k} {v:.4g}" for k, v in numbers.items()), flush=True)

    def agreement(self) -> None:
        """The same weights give the same outputs and loss."""
        with tempfile.TemporaryDirectory() as folder:
            peer, ours = self.program("peer"), self.program("poyo_plus")
            for sessions in (1, 2):
                path = f"{folder}/{sessions}.npz"
                peer("agreement", path=path, size=SIZE, windows=4, cells=50, sessions=sessions)
                differences = ours("agreement", path=path, size=SIZE)
                self.note(f"difference from the peer, {sessions} sessions", **differences)
            peer.close(), ours.close()

    def speed(self) -> None:
        """Forward and backward passes of a training step."""
        programs = {name: self.program(name) for name in PROGRAMS}
        for batch in (8, 64):
            for program in programs.values():
                program.training(size=SIZE, cells=CELLS, batch=batch)
            seconds = self.fastest(programs, "step")
            for name, value in seconds.items():
                rate = {"windows_per_s": batch / value, "ms_per_window": 1000 * value / batch}
                self.note(f"training, {name}, batch {batch}", **rate)
            for name in PROGRAMS[1:]:
                self.ratios[f"training_{name}_batch_{batch}"] = seconds["peer"] / seconds[name]
        for program in programs.values():
            program.close()

    def memory(self) -> None:
        """Largest resident set of a process that trains on batches of 64."""
        peak = {}
        for name in PROGRAMS:
            program = self.program(name)
            program.training(size=SIZE, cells=CELLS, batch=64)
            program("step"), program("step")
            peak[name] = program("peak_mb")
            self.note(f"peak memory, {name}, batch 64", mb=peak[name])
            program.close()
        for name in PROGRAMS[1:]:
            self.ratios[f"memory_{name}_batch_64"] = peak["peer"] / peak[name]

    def reading(self) -> None:
        """From the files of a session to batches of 64 windows."""
        with tempfile.TemporaryDirectory() as theirs, tempfile.TemporaryDirectory() as ours:
            programs = {name: self.program(name) for name in ("peer", "glasscortex")}
            same = {"cells": CELLS, "windows": 600}
            programs["peer"]("reading", folder=theirs, size=SIZE, **same)
            programs["glasscortex"]("reading", folder=ours, **same)
            rows = torch.randperm(600, generator=torch.Generator().manual_seed(0))[:64].tolist()
            seconds = self.fastest(programs, "batch", rows=rows)
            for name, value in seconds.items():
                self.note(f"reading, {name}", ms_per_window=1000 * value / 64)
            self.ratios["reading"] = seconds["peer"] / seconds["glasscortex"]
            for program in programs.values():
                program.close()

    def scaling(self) -> None:
        """Steps with an optimiser against the number of sessions and of cells."""
        few, many = self.program("glasscortex"), self.program("glasscortex")
        same = {"size": SIZE, "batch": 64, "optimises": True}
        for what, small, large in (("sessions", 10, 1000), ("cells", 50, 1000)):
            for program, number in ((few, small), (many, large)):
                program.training(**(same | {"cells": CELLS} | {what: number}))
            seconds = self.fastest({"few": few, "many": many}, "step")
            self.note(f"step with {small} {what}", ms_per_window=1000 * seconds["few"] / 64)
            self.note(f"step with {large} {what}", ms_per_window=1000 * seconds["many"] / 64)
            self.ratios[f"time_{large}_over_{small}_{what}"] = seconds["many"] / seconds["few"]
        few.close(), many.close()

    def cuda(self) -> None:
        """The large size in bf16 on a GPU: batch sizes, compiled or not, share of the card."""
        matmul = _matmul_flops()
        self.note("matmul rate of the card, bf16", tflops=matmul / 1e12)
        best = {}
        for name in PROGRAMS:
            for compiled in (False, True):
                program = self.program(name)
                for batch in (1, 8, 32, 128, 512):
                    same = {"size": LARGE, "cells": CELLS, "batch": batch}
                    program.training(**same, device="cuda", compiled=compiled)
                    seconds = self.fastest({name: program}, "step")[name]
                    share = _step_flops(LARGE, name) * batch / seconds / matmul
                    how = "compiled" if compiled else "eager"
                    rate = {"windows_per_s": batch / seconds, "share_of_matmul": share}
                    self.note(f"training, {name}, {how}, batch {batch}", **rate)
                    best[name] = max(best.get(name, 0), batch / seconds)
                program.close()
        for name in PROGRAMS[1:]:
            self.ratios[f"training_{name}_cuda"] = best[name] / best["peer"]

    def finish(self, path: Path | None) -> None:
        """Print the ratios, and keep everything as JSON."""
        for what, value in self.ratios.items():
            print(f"ratio {what} {value:.3g}")
        if path:
            versions = {"python": platform.python_version(), "torch": torch.__version__}
            settings = {"size": SIZE, "cells": CELLS} | self.start
            kept = {"versions": versions | {"torch_brain": "0.1.2"}, "settings": settings}
            kept |= {"rows": self.rows, "ratios": self.ratios}
            path.write_text(json.dumps(kept, indent=1) + "\n")


def _matmul_flops() -> float:
    """Operations a second of large products in bf16."""
    a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for i in range(60):
        if i == 10:
            start.record()
        a @ a
    end.record()
    torch.cuda.synchronize()
    return 50 * 2 * 8192**3 / (start.elapsed_time(end) / 1000)


def _step_flops(size: dict, name: str) -> float:
    """Operations of the products of one window, forward and backward (twice the forward)."""
    dim, frames = size["dim"], 30
    if name in ("peer", "poyo_plus"):
        latents, ratio, tokens = 8 * size["latents_per_step"], 4, CELLS * frames
        inner, cross = (size[heads] * size["head_dim"] for heads in ("heads", "cross_heads"))
        encoder = 2 * cross * tokens * (dim + latents)
    else:  # a latent reads the cells of its own step, and tokens are never formed
        config = configuration(name, size)
        steps = math.ceil(frames / config.patch_frames)
        latents, ratio, inner = steps * config.latents_per_step, config.mlp_ratio, dim
        encoder = 2 * latents * CELLS * config.heads * (config.patch_frames + 1)
    feed_forward = 3 * ratio * latents * dim**2
    block = latents * inner * (4 * dim + 2 * latents) + feed_forward
    return 3 * 2 * (size["depth"] * block + encoder + feed_forward)


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each program")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="count the processor's time, not the clock's: with one thread, on a busy machine",
    )
    parser.add_argument("--peer", type=Path, help="interpreter that has torch-brain 0.1.2")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--only", nargs="+", help="some of agreement speed memory reading scaling")
    parser.add_argument("--oracle", type=Path, help="write the peer's numbers for a test, and end")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    benchmark = Benchmark(arguments)
    if arguments.oracle:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/peer.npz"
            sizes = {"windows": 6, "cells": 5, "sessions": 2}
            benchmark.program("peer")("agreement", path=path, size=TINY, **sizes)
            ours = benchmark.program("poyo_plus")
            print(ours("agreement", path=path, size=TINY, oracle=str(arguments.oracle)))
        return
    everything = ["agreement", "speed", "memory", "reading", "scaling"]
    parts = ["agreement", "cuda"] if arguments.device == "cuda" else everything
    for part in arguments.only or parts:
        getattr(benchmark, part)()
    benchmark.finish(arguments.json)


if __name__ == "__main__":
    main()
