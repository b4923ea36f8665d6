"""The transformer: cells' activity in, what the mouse saw out.

The plan is POYO+'s (Azabou et al. 2025, ICLR): value tokens → cross-attention into latents
placed in time → self-attention over the latents → cross-attention from one query a task →
one linear head a task. Where it departs, docs/decisions.md says why.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glasscortex.config import ModelConfig
from glasscortex.data.batches import Batch
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.decoder.layers import CellEncoder, CrossBlock, HookPoint, Rotary, SelfBlock


class Decoder(nn.Module):
    """POYO+-style transformer over many sessions and tasks.

    A token is a patch of one cell's ΔF/F, gating the cell's embedding: (W patch + b) ⊙ e_cell.
    Tokens are not normalised before the encoder, so that the size of a response survives.

    Parameters
    ----------
    config : sizes of the layers
    vocabulary : sessions, cells and tasks that get embeddings and heads
    sample_rate_hz : rate of the windows
    """

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary, sample_rate_hz: float):
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.sample_rate_hz = sample_rate_hz
        dim, dropout = config.dim, config.feature_dropout
        self.cell_embeddings = nn.ParameterList(
            torch.randn(len(cells), dim) for cells in vocabulary.containers()
        )
        self.latent_embedding = nn.Parameter(0.1 * torch.randn(config.latents_per_step, dim))
        self.session_embedding = nn.Embedding(len(vocabulary.sessions), dim)
        self.task_embedding = nn.Embedding(len(vocabulary.tasks), dim)
        self.rotary = Rotary(dim // config.heads, config.rotary_periods_s)
        self.encoder = CellEncoder(dim, config.heads, config.patch_frames, dropout)
        self.blocks = nn.ModuleList(
            SelfBlock(dim, config.heads, dropout) for _ in range(config.depth)
        )
        self.reader = CrossBlock(dim, config.heads, dropout)
        self.final_norm = nn.LayerNorm(dim)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(dim, head.outputs) for name, head in vocabulary.tasks.items()}
        )
        self.latent_hooks = nn.ModuleList(HookPoint() for _ in range(config.depth + 1))
        self.readout_hook = HookPoint()
        nn.init.normal_(self.session_embedding.weight, std=0.1)

    @property
    def hooks(self) -> dict[str, HookPoint]:
        """Hook points by name.

        `latents.<i>`: the latents after i blocks (0: after the encoder); `attention.<i>` and
        `mlp.<i>`: what block i adds; `readout`: the queries before the heads.
        """
        points = {f"latents.{i}": hook for i, hook in enumerate(self.latent_hooks)}
        points |= {f"attention.{i}": b.attention_hook for i, b in enumerate(self.blocks)}
        points |= {f"mlp.{i}": block.mlp_hook for i, block in enumerate(self.blocks)}
        return points | {"readout": self.readout_hook}

    def start_cells(self, embeddings: list[Float[Tensor, "cells dim"]]) -> None:
        """Give every container's cells these embeddings."""
        for parameter, embedding in zip(self.cell_embeddings, embeddings, strict=True):
            parameter.data.copy_(embedding)

    def forward(self, batch: Batch) -> dict[str, Float[Tensor, "windows outputs"]]:
        """Outputs of every task of the batch: logits, or standardised values."""
        return self._process(self.encode(batch), batch, first=0)

    def encode(self, batch: Batch) -> Float[Tensor, "windows latents dim"]:
        """Read the cells' activity into the latents."""
        values, cells = self._drop_cells(batch.values, batch.cells)
        patch = self.config.patch_frames
        patches = F.pad(values, (0, -values.shape[-1] % patch)).unflatten(-1, (-1, patch))
        patch_s = patch / self.sample_rate_hz
        times = (torch.arange(patches.shape[2], device=values.device) + 0.5) * patch_s
        latents = self.latent_embedding.repeat(self._steps(batch), 1)
        return self.encoder(
            latents.expand(len(values), -1, -1),
            patches,
            self.cell_embeddings[batch.container][cells],
            self._latent_angles(batch),
            self.rotary(times),
        )

    def until(self, hook: str, batch: Batch) -> Float[Tensor, "windows latents dim"]:
        """The latents that enter the part of the model in which `hook` lies.

        `since(hook, until(hook, batch), batch)` equals `forward(batch)`; many edits at one hook
        share the first half.
        """
        latents = self.encode(batch)
        angles = self._latent_angles(batch)
        for hook_point, block in zip(self.latent_hooks, self.blocks[: self._first_block(hook)]):
            latents = block(hook_point(latents), angles)
        return latents

    def since(
        self, hook: str, latents: Float[Tensor, "windows latents dim"], batch: Batch
    ) -> dict[str, Float[Tensor, "windows outputs"]]:
        """The rest of the model, from what `until` gave."""
        return self._process(latents, batch, first=self._first_block(hook))

    def _first_block(self, hook: str) -> int:
        _, _, index = hook.partition(".")
        return int(index) if index else len(self.blocks)

    def _process(self, latents, batch: Batch, first: int):
        angles = self._latent_angles(batch)
        for i in range(first, len(self.blocks)):
            latents = self.blocks[i](self.latent_hooks[i](latents), angles)
        latents = self.latent_hooks[-1](latents)
        rows = [list(self.vocabulary.tasks).index(name) for name in batch.tasks]
        queries = self.task_embedding.weight[rows] + self.session_embedding.weight[batch.session]
        label_s = torch.full((len(rows),), batch.label_s, device=latents.device)
        read = self.reader(
            queries.expand(len(latents), -1, -1), latents, self.rotary(label_s), angles
        )
        read = self.readout_hook(self.final_norm(read))
        return {name: self.heads[name](read[:, i]) for i, name in enumerate(batch.tasks)}

    def _steps(self, batch: Batch) -> int:
        window_s = batch.values.shape[-1] / self.sample_rate_hz
        return max(1, round(window_s / self.config.latent_step_s))

    def _latent_angles(self, batch: Batch) -> Float[Tensor, "2 latents features"]:
        steps = torch.arange(self._steps(batch), device=batch.values.device)
        times = (steps + 0.5) * self.config.latent_step_s
        return self.rotary(times.repeat_interleave(self.config.latents_per_step))

    def _drop_cells(self, values, cells):
        if not self.training or self.config.cell_dropout == 0:
            return values, cells
        keep = max(1, round(len(cells) * (1 - self.config.cell_dropout)))
        kept = torch.randperm(len(cells))[:keep].to(cells.device)
        return values[:, kept], cells[kept]

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `decoder.json` into `folder`."""
        save_file(self.state_dict(), folder / "weights.safetensors")
        described = {
            "model": self.config.model_dump(),
            "vocabulary": self.vocabulary.to_dict(),
            "sample_rate_hz": self.sample_rate_hz,
        }
        (folder / "decoder.json").write_text(json.dumps(described, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Decoder":
        """The decoder that `save` wrote, in evaluation mode."""
        described = json.loads((folder / "decoder.json").read_text())
        decoder = cls(
            ModelConfig.model_validate(described["model"]),
            Vocabulary.from_dict(described["vocabulary"]),
            described["sample_rate_hz"],
        )
        decoder.load_state_dict(load_file(folder / "weights.safetensors"))
        return decoder.eval()
