"""TopK autoencoders beside sparsify, dictionary_learning, SAELens and overcomplete.

    python benchmarks/sae.py [--sizes 64x256 256x2048 512x8192] [--rounds N] [--seconds S]
    python benchmarks/sae.py --activations results/activations/trained/seed0/latents.2.zarr

The peers have an environment of their own (`.ci/sae-peers`), in which everything runs. Data: sums
of k atoms of a planted dictionary, their frequency ∝ rank^-.5, 1 % noise; or recorded activations.
All see the same scaled tokens, k and batch, with Adam and the same course of the learning rate;
the peers' dead windows, made for language models, are set to ours. Steps are timed in turns, a
burst each, and a round gives a ratio. Quality: each trains for the same seconds of its own steps.
Lines `ratio <what> <value>` at the end are the peer's over ours.
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

ROOT = Path(__file__).parent.parent
BATCH, RATE, DEAD_AFTER, BURST = 1024, 1e-3, 20, 10
PACKAGES = ("torch", "eai-sparsify", "dictionary-learning", "sae-lens", "overcomplete")


def schedule(steps):
    """Warm-up, plateau, linear decay."""
    return lambda s: min((s + 1) / (0.05 * steps), 1.0, max((steps - s) / (0.2 * steps), 0.0))


def planted(d: int, f: int, k: int, tokens: int = 100_000):
    """Training and test tokens of unit mean square, and the atoms."""
    g = torch.Generator().manual_seed(0)
    atoms = F.normalize(torch.randn(f, d, generator=g), dim=1)
    frequency = -0.5 * torch.arange(1, f + 1).log()
    parts = []
    for _ in range(0, tokens + 10_000, 10_000):
        noise = -(-torch.rand(10_000, f, generator=g).clamp_min(1e-12).log()).log()
        units = (frequency + noise).topk(k, dim=1).indices
        values = (1 + 0.3 * torch.randn(units.shape, generator=g)).abs()
        parts.append(F.embedding_bag(units, atoms, per_sample_weights=values, mode="sum"))
    x = torch.cat(parts)
    x += (0.01 * x.var(0).mean()).sqrt() * torch.randn(x.shape, generator=g)
    x = x - x.mean(0)
    x /= x.square().mean().sqrt()
    return x[:tokens], x[tokens:], atoms


def recorded(path: Path):
    """Training and validation tokens of a recording, scaled; no atoms are known."""
    import zarr

    train, test = (torch.from_numpy(zarr.open(path)[f"{s}/x"][:]) for s in ("train", "validation"))
    mean = train.mean(0)
    scale = (train - mean).square().mean().sqrt()
    return (train - mean) / scale, (test - mean) / scale, None


class Ours:
    """The loop of `glasscortex.dictionaries.fit`, a step at a time."""

    def __init__(self, x, f, k, steps):
        from glasscortex.dictionaries import TopK
        from glasscortex.dictionaries.tokens import ArrayTokens

        self.sae = TopK(width=f, k=k, steps=steps, batch=BATCH)
        rng, tokens = np.random.default_rng(0), ArrayTokens(x)
        self.sae.initialise(tokens, tokens.batches(BATCH, rng), None, rng)
        self.optimiser = torch.optim.Adam(self.sae.parameters(), lr=RATE, fused=True)
        self.course = torch.optim.lr_scheduler.LambdaLR(self.optimiser, schedule(steps))
        self.silent = torch.zeros(f, dtype=torch.long)

    def step(self, x):
        seen = self.sae.backward(self.sae.scaled(x), self.silent > DEAD_AFTER)
        self.sae.project()
        self.optimiser.step()
        self.course.step()
        self.sae.normalise()
        self.silent = (self.silent + 1).masked_fill(seen.fired, 0)

    def splice(self, x):
        return self.sae.splice(x)

    def atoms(self):
        return self.sae.W_dec


class Sparsify:
    """Its loop, without its logging."""

    def __init__(self, x, f, k, steps):
        from sparsify import SparseCoder, SparseCoderConfig

        self.sae = SparseCoder(x.shape[1], SparseCoderConfig(num_latents=f, k=k))
        self.sae.b_dec.data = x[:8192].mean(0)
        self.optimiser = torch.optim.Adam(self.sae.parameters(), lr=RATE)
        self.course = torch.optim.lr_scheduler.LambdaLR(self.optimiser, schedule(steps))
        self.silent = torch.zeros(f, dtype=torch.long)

    def step(self, x):
        self.sae.set_decoder_norm_to_unit_norm()
        out = self.sae(x, dead_mask=self.silent > DEAD_AFTER)
        (out.fvu + out.auxk_loss / 32).backward()
        self.sae.remove_gradient_parallel_to_decoder_directions()
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.course.step()
        self.silent += 1
        self.silent[out.latent_indices.flatten().unique()] = 0

    def splice(self, x):
        return self.sae(x).sae_out

    def atoms(self):
        return self.sae.W_dec


class DictionaryLearning:
    """Its TopKTrainer."""

    def __init__(self, x, f, k, steps):
        from dictionary_learning.trainers.top_k import TopKTrainer

        self.trainer = TopKTrainer(
            steps=steps,
            activation_dim=x.shape[1],
            dict_size=f,
            k=k,
            layer=0,
            lm_name="x",
            lr=RATE,
            seed=0,
            device="cpu",
            warmup_steps=steps // 20,
            decay_start=int(0.8 * steps),
            threshold_start_step=steps // 20,
        )
        self.trainer.dead_feature_threshold, self.steps = DEAD_AFTER * BATCH, 0

    def step(self, x):
        self.trainer.update(self.steps, x)
        self.steps += 1

    def splice(self, x):
        return self.trainer.ae.decode(self.trainer.ae.encode(x))

    def atoms(self):
        return self.trainer.ae.decoder.weight.T


class SAELens:
    """Its SAETrainer."""

    def __init__(self, x, f, k, steps):
        from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
        from sae_lens.config import SAETrainerConfig
        from sae_lens.training.sae_trainer import SAETrainer

        # its sparse activations fail in PyTorch on a CPU
        config = {"d_in": x.shape[1], "d_sae": f, "k": k, "use_sparse_activations": False}
        self.sae = TopKTrainingSAE(TopKTrainingSAEConfig(**config, device="cpu"))
        course = {"lr": RATE, "lr_end": RATE / 1e3, "lr_warm_up_steps": steps // 20}
        course |= {"lr_decay_steps": int(0.2 * steps), "dead_feature_window": DEAD_AFTER}
        sizes = {"total_training_samples": steps * BATCH, "train_batch_size_samples": BATCH}
        self.trainer = SAETrainer(SAETrainerConfig(**sizes, **course), self.sae, iter(()))

    def step(self, x):
        self.trainer.maybe_reset_sparsity()
        self.trainer.step(x)
        self.trainer.n_training_steps += 1

    def splice(self, x):
        return self.sae.decode(self.sae.encode(x))

    def atoms(self):
        return self.sae.W_dec


class Overcomplete:
    """Its TopKSAE, without decoder bias and auxiliary loss."""

    def __init__(self, x, f, k, steps):
        from unittest.mock import MagicMock

        names = ("torchvision", "torchvision.transforms", "timm")
        sys.modules.update({name: MagicMock() for name in names})  # for its pictures only
        sys.modules["overcomplete.visualization"] = sys.modules["overcomplete.models"] = MagicMock()
        from overcomplete.sae import TopKSAE

        self.sae = TopKSAE(x.shape[1], nb_concepts=f, top_k=k).train()
        self.optimiser = torch.optim.Adam(self.sae.parameters(), lr=RATE)
        self.course = torch.optim.lr_scheduler.LambdaLR(self.optimiser, schedule(steps))

    def step(self, x):  # its own auxiliary loss is twice as slow, and reconstructs worse
        self.optimiser.zero_grad()
        (x - self.sae(x)[2]).square().mean().backward()
        self.optimiser.step()
        self.course.step()

    def splice(self, x):
        return self.sae(x)[2]

    def atoms(self):
        return self.sae.get_dictionary()


PROGRAMS = {
    "glasscortex": Ours,
    "sparsify": Sparsify,
    "dictionary_learning": DictionaryLearning,
    "saelens": SAELens,
    "overcomplete": Overcomplete,
}


def quality(name, train, test, atoms, k, f, steps):
    """FVU and mean max cosine after some steps, and the largest memory of the process in MB."""
    torch.manual_seed(0)
    program = PROGRAMS[name](train, f, k, steps)
    order = torch.Generator().manual_seed(1)
    for _ in range(steps):
        program.step(train[torch.randint(len(train), (BATCH,), generator=order)])
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with torch.no_grad():
        error = sum((x - program.splice(x)).square().sum().item() for x in test.split(BATCH))
        learnt = F.normalize(program.atoms(), dim=1)
        found = {"fvu": error / (test - test.mean(0)).square().sum().item(), "peak_mb": peak_mb}
        if atoms is not None:
            found["cosine"] = (atoms @ learnt.T).max(1).values.mean().item()
    return found


def isolated(threads, *arguments):
    """`quality` in a process of its own."""
    torch.set_num_threads(threads)
    return quality(*arguments)


def step_times(train, k, f, rounds):
    """Milliseconds of a step in each round, by program."""
    torch.manual_seed(0)
    programs = {name: kind(train, f, k, 10_000) for name, kind in PROGRAMS.items()}
    times = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            burst = []
            for i in range(BURST):
                x = train[i * BATCH : (i + 1) * BATCH]
                start = time.perf_counter()
                program.step(x)
                burst.append(1000 * (time.perf_counter() - start))
            if turn:  # the first warms up
                times[name].append(statistics.median(burst))
    return times


def measure(what, data, k, f, arguments):
    """A row a program, and the ratios."""
    train, test, atoms = data
    times = step_times(train, k, f, arguments.rounds)
    rows, ratios = [], {}
    for name, rounds in times.items():
        row = {"what": what, "program": name, "ms": statistics.median(rounds)}
        row["steps"] = max(1, int(1000 * arguments.seconds / row["ms"]))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            given = (arguments.threads, name, train, test, atoms, k, f, row["steps"])
            row |= pool.apply(isolated, given)
        rows.append(row)
        print(*(v if isinstance(v, str) else f"{v:.4g}" for v in row.values()), flush=True)
        if name != "glasscortex":
            pairs = zip(rounds, times["glasscortex"], strict=True)
            ratios[f"step_{what}_{name}"] = statistics.median(a / b for a, b in pairs)
            ratios[f"fvu_{what}_{name}"] = row["fvu"] / rows[0]["fvu"]
    return rows, ratios


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="*", default=["64x256", "256x2048", "512x8192"])
    parser.add_argument("--activations", type=Path, help="Zarr of the stage activations")
    parser.add_argument("--k", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=20, help="of training, for quality")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows, ratios = [], {}
    print("what program ms steps fvu peak_mb cosine, at load", *os.getloadavg())
    cases = [(s, *map(int, s.split("x"))) for s in arguments.sizes]
    jobs = [(s, lambda d=d, f=f: planted(d, f, arguments.k), f) for s, d, f in cases]
    if arguments.activations:
        jobs.append(("recorded", lambda: recorded(arguments.activations), 256))
    for what, data, f in jobs:
        more, gained = measure(what, data(), arguments.k, f, arguments)
        rows, ratios = rows + more, ratios | gained
    for what, value in ratios.items():
        print(f"ratio {what} {value:.3g}")
    if arguments.json:
        versions = {name: importlib.metadata.version(name) for name in PACKAGES}
        settings = {"batch": BATCH, "k": arguments.k, "threads": arguments.threads}
        kept = {"versions": versions, "settings": settings, "load": os.getloadavg()}
        kept |= {"rows": rows, "ratios": ratios}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    if "GLASSCORTEX_SAE_PEERS" in os.environ:
        main()
    else:
        peers = subprocess.check_output([ROOT / ".ci" / "sae-peers"], text=True).strip()
        here = {"GLASSCORTEX_SAE_PEERS": "1", "PYTHONPATH": str(ROOT / "src")}
        os.execve(peers, [peers, *sys.argv], os.environ | here)
