"""Our side of `decoder.py`."""

import math
from contextlib import nullcontext
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from commands import answer
from torch import Tensor

from glasscortex.config import ModelConfig, PoyoPlusConfig
from glasscortex.data.batches import Batch, Batches, Piece
from glasscortex.data.vocabulary import Head, Vocabulary
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.optimisation import task_losses

HEADS = {
    "direction": Head(tuple(45.0 * i for i in range(8)), samples=30),
    "temporal_frequency": Head((1.0, 2.0, 4.0, 8.0, 15.0), samples=30),
    "running_speed": Head(None, samples=30),
}


def configuration(architecture: str, size: dict) -> ModelConfig | PoyoPlusConfig:
    """The architecture at this size; all cells are kept: the peer drops them as it reads.

    "glasscortex" has as many latents as the peer, or a few more; "default" as many as it has by
    default.
    """
    if architecture == "poyo_plus":
        return PoyoPlusConfig(**size, cell_dropout=0)
    config = ModelConfig(dim=size["dim"], depth=size["depth"], cell_dropout=0)
    if architecture == "default":
        return config
    steps = math.ceil(30 / config.patch_frames)
    matched = math.ceil(8 * size["latents_per_step"] / steps)
    return config.model_copy(update={"latents_per_step": matched})


def vocabulary(cells: int, sessions: int = 1) -> Vocabulary:
    """Sessions of that many cells each, and three tasks."""
    names = {f"session{i}": tuple(f"{i}/{cell}" for cell in range(cells)) for i in range(sessions)}
    return Vocabulary(tuple(names), names, HEADS)


def batch_of(values: Tensor, session: int = 0) -> Batch:
    """These windows (windows, cells, samples) of one session."""
    return Batch(
        session_id=f"session{session}",
        stimulus="drifting_gratings",
        trials=np.arange(len(values)),
        values=values,
        container=session,
        cells=torch.arange(values.shape[1], device=values.device),
        session=session,
        tasks=tuple(HEADS),
        label_s=0.5,
    )


class Training:
    """Forward and backward passes over one batch; with an optimiser, over sessions in turn."""

    def __init__(
        self,
        architecture: str,
        size: dict,
        cells: int,
        batch: int,
        sessions: int = 1,
        optimises: bool = False,
        device: str = "cpu",
        compiled: bool = False,
    ):
        torch.manual_seed(0)
        self.device, self.sessions, self.steps = device, sessions, 0
        config = configuration(architecture, size)
        self.model = Decoder(config, vocabulary(cells, sessions), 30.0).to(device).train()
        self.values = torch.randn(batch, cells, 30).to(device)
        rng = np.random.default_rng(0)
        self.targets = {
            "direction": rng.integers(8, size=batch),
            "temporal_frequency": rng.integers(5, size=batch),
            "running_speed": rng.normal(size=batch).astype(np.float32),
        }
        self.optimizer = None
        if optimises:
            self.optimizer = torch.optim.AdamW(self.model.parameters(), fused=True)
        self.run = torch.compile(self.model) if compiled else self.model

    def step(self) -> None:
        cuda, batch = self.device == "cuda", batch_of(self.values, self.steps % self.sessions)
        with torch.autocast("cuda", torch.bfloat16) if cuda else nullcontext():
            outputs = self.run(batch)
        outputs = {task: output.float() for task, output in outputs.items()}
        sum(task_losses(outputs, self.targets, batch).values()).backward()
        if self.optimizer:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
        self.model.zero_grad()
        self.steps += 1
        if cuda:
            torch.cuda.synchronize()


class Reading:
    """Windows of a session on disk, as batches."""

    def __init__(self, folder: str, cells: int, windows: int):
        path = Path(folder)
        with h5py.File(path / "session0.h5", "w") as file:
            names = np.array([f"0/{cell}" for cell in range(cells)], dtype="S")
            file.attrs.update(session_id="session0", cells=names, sample_rate_hz=30.0)
            values = np.random.default_rng(0).normal(size=(windows, cells, 30))
            file["drifting_gratings"] = values.astype(np.float32)
        row = np.arange(windows)
        table = pd.DataFrame({"presentation": row, "start_s": row, "end_s": row + 1.0})
        table = table.assign(
            session_id="session0",
            stimulus="drifting_gratings",
            split="train",
            label_direction=45.0 * (row % 8),
            label_temporal_frequency=1.0,
            label_running_speed=0.0,
        )
        self.batches = Batches(WindowsFolder(path), table, vocabulary(cells), size=len(row))

    def batch(self, rows: list[int]) -> None:
        (_,) = self.batches.read([Piece("session0", "drifting_gratings", np.array(rows))])


def agreement(path: str, size: dict, oracle: str | None = None) -> dict[str, float]:
    """Largest differences of outputs, and the difference of the loss, for the peer's weights.

    `oracle` is where the weights, by our names, and the peer's numbers are written.
    """
    stored = np.load(path)
    given = {name: torch.from_numpy(stored[name]) for name in stored.files}
    theirs = {k.removeprefix("weights."): v for k, v in given.items() if k.startswith("weights.")}
    session, values = given["session"], given["values"].mT.contiguous()
    sessions, cells = int(session.max()) + 1, values.shape[1]
    config = configuration("poyo_plus", size)
    decoder = Decoder(config, vocabulary(cells, sessions), 30.0).eval()
    weights = our_weights(theirs, config, cells)
    decoder.load_state_dict(decoder.state_dict() | weights)
    decoder.transformer.rotary.omega.copy_(theirs["rotary_emb.omega"])
    outputs = {task: torch.zeros_like(given[f"outputs.{task}"]) for task in HEADS}
    with torch.no_grad():
        for i in range(sessions):
            for task, output in decoder(batch_of(values[session == i], i)).items():
                outputs[task][session == i] = output
    targets = {task: given[f"targets.{task}"].numpy() for task in HEADS}
    targets["running_speed"] = targets["running_speed"][:, 0]
    loss = sum(task_losses(outputs, targets, batch_of(values)).values())
    if oracle:
        kept = {k: v for k, v in given.items() if not k.startswith("weights.")}
        kept |= {f"weights.{name}": weight for name, weight in weights.items()}
        kept["omega"] = theirs["rotary_emb.omega"]
        np.savez_compressed(oracle, **{name: value.numpy() for name, value in kept.items()})
    differences = {t: float((outputs[t] - given[f"outputs.{t}"]).abs().max()) for t in HEADS}
    return differences | {"loss": float(abs(loss - given["loss"])), "of": float(given["loss"])}


def our_weights(theirs: dict[str, Tensor], config: PoyoPlusConfig, cells: int) -> dict[str, Tensor]:
    """The peer's weights by our names, in our order of features."""
    embeddings = theirs["unit_emb.weight"][1:].split(cells)
    ours = {f"cell_embeddings.{i}": part for i, part in enumerate(embeddings)}
    ours["transformer.latent_embedding"] = theirs["latent_emb.weight"]
    ours["session_embedding.weight"] = theirs["session_emb.weight"][1:]
    task = [4, 5, 16]  # the tasks' places in the peer's registry
    ours["task_embedding.weight"] = theirs["task_emb.weight"][task]

    def copy(source: str, target: str) -> None:
        for name in ("weight", "bias"):
            ours[f"{target}.{name}"] = theirs[f"{source}.{name}"]

    def paired(weight: Tensor, heads: int) -> Tensor:
        """Their features turn in pairs (2i, 2i + 1) of a head, ours in (i, i + half)."""
        rows = weight.unflatten(0, (heads, -1))
        return torch.cat([rows[:, 0::2], rows[:, 1::2]], dim=1).flatten(0, 1)

    def attention(source: str, target: str, heads: int) -> None:
        if f"{source}.to_qkv.weight" in theirs:
            projections = theirs[f"{source}.to_qkv.weight"]
        else:
            names = (f"{source}.to_q.weight", f"{source}.to_kv.weight")
            projections = torch.cat([theirs[name] for name in names])
        for name, weight in zip(("query", "key", "value"), projections.chunk(3)):
            ours[f"{target}.{name}.weight"] = paired(weight, heads)
        copy(f"{source}.to_out", f"{target}.out")
        ours[f"{target}.out.weight"] = paired(ours[f"{target}.out.weight"].T, heads).T

    def feed_forward(source: str, target: str) -> None:
        for theirs_, ours_ in (("0", "norm"), ("1.net.0", "wide"), ("1.net.3", "narrow")):
            copy(f"{source}.{theirs_}", f"{target}.feed_forward.{ours_}")

    copy("input_value_map", "transformer.encoder.value")
    ends = ("enc", "encoder", "token_norm"), ("dec", "reader", "latent_norm")
    for source, name, norm in ends:
        target = f"transformer.{name}"
        copy(f"{source}_atn.norm", f"{target}.norm")
        copy(f"{source}_atn.norm_context", f"{target}.{norm}")
        attention(f"{source}_atn", f"{target}.attention", config.cross_heads)
        feed_forward(f"{source}_ffn", target)
    for i in range(config.depth):
        copy(f"proc_layers.{i}.0.norm", f"transformer.blocks.{i}.norm")
        attention(f"proc_layers.{i}.0", f"transformer.blocks.{i}.attention", config.heads)
        feed_forward(f"proc_layers.{i}.1", f"transformer.blocks.{i}")
    copy("readout.projections.drifting_gratings_orientation", "heads.direction")
    copy("readout.projections.drifting_gratings_temporal_frequency", "heads.temporal_frequency")
    copy("readout.projections.running_speed", "heads.running_speed")
    return {name: weight.contiguous() for name, weight in ours.items()}


if __name__ == "__main__":
    answer(Training, Reading, agreement)
