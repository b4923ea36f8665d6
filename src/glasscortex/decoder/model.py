"""The transformer: cells' activity in, what the mouse saw out.

The plan is POYO+'s (Azabou et al. 2025, ICLR): value tokens → cross-attention into latents
placed in time → self-attention over the latents → cross-attention from one query a task →
one linear head a task. Where the default departs, docs/decisions.md says why.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glasscortex.config import DecoderConfig, ModelConfig, PoyoPlusConfig
from glasscortex.data.batches import Batch
from glasscortex.data.vocabulary import Vocabulary
from glasscortex.decoder.heads import SessionOutputs, StepwiseLinear
from glasscortex.decoder.layers import HookPoint, Transformer
from glasscortex.decoder.poyo_plus import PoyoPlus
from glasscortex.files import sealed_write, verified

ARCHITECTURES: dict[str, type[ModelConfig] | type[PoyoPlusConfig]] = {
    "glasscortex": ModelConfig,
    "poyo_plus": PoyoPlusConfig,
}


def transformer_config(config: DecoderConfig) -> ModelConfig | PoyoPlusConfig:
    """The part of the configuration that describes the chosen transformer."""
    return config.model if config.architecture == "glasscortex" else config.poyo_plus


class Decoder(nn.Module):
    """POYO+-style transformer over many sessions and tasks.

    The transformer itself is that of the configuration: `layers.Transformer`, or `PoyoPlus`.

    Parameters
    ----------
    config : ModelConfig or PoyoPlusConfig
        Sizes of the layers; a `PoyoPlusConfig` gives the layers of `poyo_plus`.
    vocabulary : Vocabulary
        Sessions, cells and tasks that get embeddings and heads.
    sample_rate_hz : float
        Rate of the windows.
    """

    def __init__(
        self,
        config: ModelConfig | PoyoPlusConfig,
        vocabulary: Vocabulary,
        sample_rate_hz: float,
    ):
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.sample_rate_hz = sample_rate_hz
        self.transformer: Transformer | PoyoPlus = (
            PoyoPlus(config, sample_rate_hz)
            if isinstance(config, PoyoPlusConfig)
            else Transformer(config, sample_rate_hz)
        )
        self.cell_embeddings = nn.ParameterList(
            torch.empty(len(cells), self.transformer.cell_dim) for cells in vocabulary.containers()
        )
        self.session_embedding = nn.Embedding(len(vocabulary.sessions), config.dim)
        self.task_embedding = nn.Embedding(len(vocabulary.tasks), config.dim)
        self.heads = nn.ModuleDict(
            {
                name: StepwiseLinear(config.dim, self.transformer.steps(head.samples), head.outputs)
                for name, head in vocabulary.tasks.items()
            }
        )
        self.own = SessionOutputs(vocabulary)
        self.latent_hooks = nn.ModuleList(HookPoint() for _ in range(config.depth + 1))
        self.readout_hook = HookPoint()
        sds = self.transformer.EMBEDDING_SDS
        embeddings = self.cell_embeddings, self.session_embedding, self.task_embedding
        for embedding, sd in zip(embeddings, sds, strict=True):
            for parameter in embedding.parameters():
                nn.init.normal_(parameter, std=sd)

    @property
    def hooks(self) -> dict[str, nn.Module]:
        """Hook points by name.

        `latents.<i>`: the latents after i blocks (0: after the encoder); `attention.<i>` and
        `mlp.<i>`: what block i adds; `readout`: the queries before the heads.
        """
        blocks = list(enumerate(self.transformer.blocks))
        points = {f"latents.{i}": hook for i, hook in enumerate(self.latent_hooks)}
        points |= {f"attention.{i}": b.get_submodule("attention_hook") for i, b in blocks}
        points |= {f"mlp.{i}": b.get_submodule("mlp_hook") for i, b in blocks}
        return points | {"readout": self.readout_hook}

    def head(self, task: str) -> StepwiseLinear:
        """The head of a task."""
        head = self.heads[task]
        assert isinstance(head, StepwiseLinear)
        return head

    def forward(self, batch: Batch) -> dict[str, Float[Tensor, "windows outputs"]]:
        """Outputs of every task of the batch: logits, or standardised values."""
        return self._process(self.encode(batch), batch, first=0)

    def encode(self, batch: Batch) -> Float[Tensor, "windows latents dim"]:
        """Read the cells' activity into the latents."""
        values, cells = self._drop_cells(batch.values, batch.cells)
        patch = self.transformer.patch_frames
        patches = F.pad(values, (0, -values.shape[-1] % patch)).unflatten(-1, (-1, patch))
        return self.transformer.encode(patches, self.cell_embeddings[batch.container][cells])

    def until(self, hook: str, batch: Batch) -> Float[Tensor, "windows latents dim"]:
        """The latents that enter the part of the model in which `hook` lies.

        `since(hook, until(hook, batch), batch)` equals `forward(batch)`; many edits at one hook
        share the first half.
        """
        latents = self.encode(batch)
        angles = self.transformer.angles(latents)
        blocks = self.transformer.blocks[: self.first_block(hook)]
        for hook_point, block in zip(self.latent_hooks, blocks):
            latents = block(hook_point(latents), angles)
        return latents

    def since(
        self, hook: str, latents: Float[Tensor, "windows latents dim"], batch: Batch
    ) -> dict[str, Float[Tensor, "windows outputs"]]:
        """The rest of the model, from what `until` gave."""
        return self._process(latents, batch, first=self.first_block(hook))

    def first_block(self, hook: str) -> int:
        """How many blocks run before the part of the model in which `hook` lies."""
        _, _, index = hook.partition(".")
        return int(index) if index else self.config.depth

    def _process(self, latents, batch: Batch, first: int):
        angles = self.transformer.angles(latents)
        for i in range(first, self.config.depth):
            latents = self.transformer.blocks[i](self.latent_hooks[i](latents), angles)
        latents = self.latent_hooks[-1](latents)
        rows = [list(self.vocabulary.tasks).index(name) for name in batch.tasks]
        queries = self.task_embedding.weight[rows] + self.session_embedding.weight[batch.session]
        read = self.transformer.read(queries, latents, batch.label_s)
        read = self.readout_hook(read.flatten(1, 2)).unflatten(1, read.shape[1:3])
        outputs = {name: self.heads[name](read[:, :, i]) for i, name in enumerate(batch.tasks)}
        return {name: self.own(output, batch.session, name) for name, output in outputs.items()}

    def _drop_cells(self, values, cells):
        if not self.training or self.config.cell_dropout == 0:
            return values, cells
        keep = max(1, round(len(cells) * (1 - self.config.cell_dropout)))
        kept = torch.randperm(len(cells))[:keep].to(cells.device)
        return values[:, kept], cells[kept]

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `decoder.json` into `folder`."""
        with sealed_write(folder / "weights.safetensors") as file:
            save_file(self.state_dict(), file)
        names = {config: name for name, config in ARCHITECTURES.items()}
        described = {
            "architecture": names[type(self.config)],
            "model": self.config.model_dump(),
            "vocabulary": self.vocabulary.to_dict(),
            "sample_rate_hz": self.sample_rate_hz,
        }
        with sealed_write(folder / "decoder.json") as file:
            file.write_text(json.dumps(described, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Decoder":
        """The decoder that `save` wrote, in evaluation mode.

        Raises
        ------
        InputError
            A file is not as it was written.
        """
        described = json.loads(verified(folder / "decoder.json").read_text())
        config = ARCHITECTURES[described["architecture"]]
        decoder = cls(
            config.model_validate(described["model"]),
            Vocabulary.from_dict(described["vocabulary"]),
            described["sample_rate_hz"],
        )
        decoder.load_state_dict(load_file(verified(folder / "weights.safetensors")))
        return decoder.eval()
