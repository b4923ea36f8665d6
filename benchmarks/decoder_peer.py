"""The peer's side of `decoder.py`: run by an interpreter that has torch-brain 0.1.2."""

import warnings
from contextlib import nullcontext
from pathlib import Path

import h5py
import numpy as np
import torch
from commands import answer

warnings.filterwarnings("ignore")

from temporaldata import ArrayDict, Data, Interval, IrregularTimeSeries, RegularTimeSeries  # noqa: E402
from torch_brain.data import collate  # noqa: E402
from torch_brain.dataset import Dataset, DatasetIndex  # noqa: E402
from torch_brain.models import CalciumPOYOPlus  # noqa: E402
from torch_brain.registry import MODALITY_REGISTRY  # noqa: E402

TASKS = {
    "direction": "drifting_gratings_orientation",
    "temporal_frequency": "drifting_gratings_temporal_frequency",
    "running_speed": "running_speed",
}


def build(size: dict, cells: int, sessions: int = 1) -> CalciumPOYOPlus:
    """The model with its published dropouts, and vocabularies of that many cells and sessions."""
    torch.manual_seed(0)
    model = CalciumPOYOPlus(
        sequence_length=1.0,
        latent_step=0.125,
        num_latents_per_step=size["latents_per_step"],
        dim=size["dim"],
        depth=size["depth"],
        dim_head=size["head_dim"],
        cross_heads=size["cross_heads"],
        self_heads=size["heads"],
        ffn_dropout=0.2,
        lin_dropout=0.4,
        atn_dropout=0.2,
    )
    model.unit_emb.initialize_vocab([str(cell) for cell in range(cells)])
    model.session_emb.initialize_vocab([f"session{i}" for i in range(sessions)])
    return model


def inputs(values: torch.Tensor, first: torch.Tensor, session: torch.Tensor, size: dict) -> dict:
    """Tokens of windows (windows, frames, cells) of 1 s, as the tokeniser and collation give them.

    `first` and `session` number each window's first cell and its session.
    """
    windows, frames, cells = values.shape
    padding = -frames * cells % 8
    device = values.device

    def padded(x):
        return torch.nn.functional.pad(x, (0, padding)).expand(windows, -1)

    frame_s = (torch.arange(frames, device=device) + 0.5) / frames
    cell = torch.arange(cells, device=device).repeat(frames) + first[:, None] + 1
    latent = torch.arange(size["latents_per_step"], device=device).repeat(8)
    latent_s = ((torch.arange(8, device=device) + 0.5) * 0.125).repeat_interleave(len(latent) // 8)
    ids = [MODALITY_REGISTRY[name].id for name in TASKS.values()]
    ids = torch.tensor(ids + [0] * (8 - len(ids)), device=device)
    return {
        "input_unit_index": torch.nn.functional.pad(cell, (0, padding)),
        "input_timestamps": padded(frame_s.repeat_interleave(cells)),
        "input_values": torch.nn.functional.pad(values.flatten(1), (0, padding))[..., None],
        "input_mask": padded(torch.ones(frames * cells, dtype=torch.bool, device=device)),
        "latent_index": latent.expand(windows, -1),
        "latent_timestamps": latent_s.expand(windows, -1),
        "output_session_index": (session[:, None] + 1).expand(-1, 8),
        "output_timestamps": torch.full((windows, 8), 0.5, device=device),
        "output_decoder_index": ids.expand(windows, -1),
    }


def losses(outputs: dict, targets: dict) -> torch.Tensor:
    """The sum of the tasks' mean losses."""
    specs = MODALITY_REGISTRY
    return sum(specs[TASKS[t]].loss_fn(outputs[TASKS[t]], target) for t, target in targets.items())


class Training:
    """Forward and backward passes over one batch."""

    def __init__(self, size: dict, cells: int, batch: int, device: str = "cpu", compiled=False):
        self.device = device
        self.model = build(size, cells).to(device).train()
        generator = torch.Generator().manual_seed(0)
        values = torch.randn(batch, 30, cells, generator=generator).to(device)
        nothing = torch.zeros(batch, dtype=torch.long, device=device)
        self.inputs = inputs(values, nothing, nothing, size)
        self.targets = {
            "direction": torch.randint(8, (batch,), generator=generator).to(device),
            "temporal_frequency": torch.randint(5, (batch,), generator=generator).to(device),
            "running_speed": torch.randn(batch, 1, generator=generator).to(device),
        }
        self.run = torch.compile(self.model) if compiled else self.model

    def step(self) -> None:
        cuda = self.device == "cuda"
        with torch.autocast("cuda", torch.bfloat16) if cuda else nullcontext():
            outputs = self.run(**self.inputs)
        losses({k: v.float() for k, v in outputs.items()}, self.targets).backward()
        self.model.zero_grad()
        if cuda:
            torch.cuda.synchronize()


class Reading:
    """Windows of a recording on disk, tokenised and collated."""

    def __init__(self, folder: str, size: dict, cells: int, windows: int):
        path = Path(folder) / "session0.h5"
        seconds = windows + 1
        dff = np.random.default_rng(0).normal(size=(30 * seconds, cells)).astype(np.float32)
        at = np.arange(windows) + 0.5
        data = Data(
            calcium_traces=RegularTimeSeries(df_over_f=dff, sampling_rate=30.0, domain="auto"),
            units=ArrayDict(id=np.array([str(cell) for cell in range(cells)])),
            session=Data(id="session0"),
            drifting_gratings=IrregularTimeSeries(
                timestamps=at, orientation_id=np.arange(windows) % 8, domain="auto"
            ),
            domain=Interval(0.0, float(seconds)),
        )
        with h5py.File(path, "w") as file:
            data.to_hdf5(file)
        self.model = build(size, cells)
        self.dataset = Dataset(folder, ["session0"], transform=self.tokens)

    def tokens(self, data: Data) -> dict:
        data.config = {"multitask_readout": [{"readout_id": TASKS["direction"]}]}
        return self.model.tokenize(data)

    def batch(self, rows: list[int]) -> dict:
        return collate([self.dataset[DatasetIndex("session0", row, row + 1.0)] for row in rows])


def agreement(path: str, size: dict, windows: int, cells: int, sessions: int) -> None:
    """Write weights, inputs, outputs and loss in evaluation mode; nothing is at its start value."""
    model = build(size, cells * sessions, sessions).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "emb" in name or "input_value_map" in name:
                parameter.copy_(noise)
            elif parameter.ndim == 1:
                parameter.add_(0.3 * noise)
        session = torch.arange(windows) % sessions
        values = torch.randn(windows, 30, cells, generator=generator)
        outputs = model(**inputs(values, session * cells, session, size))
        targets = {
            "direction": torch.randint(8, (windows,), generator=generator),
            "temporal_frequency": torch.randint(5, (windows,), generator=generator),
            "running_speed": torch.randn(windows, 1, generator=generator),
        }
        loss = losses(outputs, targets)
    arrays = {f"weights.{k}": v for k, v in model.state_dict().items() if torch.is_tensor(v)}
    arrays |= {f"outputs.{task}": outputs[name] for task, name in TASKS.items()}
    arrays |= {f"targets.{task}": target for task, target in targets.items()}
    arrays |= {"values": values, "session": session, "loss": loss}
    np.savez(path, **{k: v.numpy() for k, v in arrays.items()})


if __name__ == "__main__":
    answer(Training, Reading, agreement)
