"""How the outputs of the heads change with the activations at a hook."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from glasscortex.data.batches import Batch
from glasscortex.decoder.hooks import reading, replacing
from glasscortex.decoder.model import Decoder


class Passed(NamedTuple):
    """What passed the decoder, with what is needed to go back."""

    x: Float[Tensor, "windows tokens dim"]
    """Activations at the hook."""
    stream: Float[Tensor, "windows tokens dim"]
    """Where the direct way starts: the latents that are read, or the hook itself at `readout`."""
    outputs: dict[str, Float[Tensor, "windows outputs"]]
    """By task, those of the head, centred over classes."""


def passed(decoder: Decoder, hook: str, batch: Batch) -> Passed:
    """Decode a batch, and keep what leads from the hook to the heads.

    Outputs are those of the heads, before a session's own bias and gain and before classes that
    it was not shown are hidden; those of a classification are centred over its classes.

    Raises
    ------
    InputError
        The decoder has no hook of that name.
    """
    stream = hook if hook == "readout" else f"latents.{decoder.config.depth}"
    with (
        replacing(decoder, hook, lambda x: x.detach().requires_grad_()),
        reading(decoder, hook, stream, "readout") as seen,
    ):
        decoder(batch)
        read = seen["readout"].unflatten(1, (-1, len(batch.tasks)))
        outputs = {task: decoder.head(task)(read[:, :, i]) for i, task in enumerate(batch.tasks)}
        for task, output in outputs.items():
            if decoder.vocabulary.tasks[task].classes:
                outputs[task] = output - output.mean(1, keepdim=True)
    return Passed(seen[hook], seen[stream], outputs)


def slopes(
    output: Float[Tensor, "windows outputs"], passed: Passed
) -> Iterator[tuple[Float[Tensor, "windows tokens dim"], Float[Tensor, "windows tokens dim"]]]:
    """Of each output in turn, the slopes on the stream and on the hook's activations."""
    for column in range(output.shape[1]):
        direct, total = torch.autograd.grad(
            output[:, column].sum(), (passed.stream, passed.x), retain_graph=True
        )
        yield direct, total
