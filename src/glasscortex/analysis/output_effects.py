"""What a unit does to the decoder's outputs: how far it moves each, and in how many tasks."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from glasscortex.analysis.removal import atoms
from glasscortex.data.batches import Batch, Batches
from glasscortex.decoder.hooks import reading, replacing
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary

COLUMNS = ["task", "label", "unit", "direct", "attribution", "sd"]


def effects(
    decoder: Decoder, dictionary: Dictionary, hook: str, batches: Batches, mask: np.ndarray
) -> pd.DataFrame:
    """Tell what each unit adds to every output of every task.

    Outputs are those of the heads, before a session's own bias and gain and before classes that
    it was not shown are hidden, so that they compare between sessions; those of a classification
    are centred over its classes, since what raises all logits alike does nothing.

    - `direct`: change of the output when the unit's activation rises by one at all tokens, along
      the way from the residual stream through the readout and the head, leaving out the blocks
      in between (direct logit attribution, Elhage et al. 2021). At `readout`, and after the last
      block where a step has one latent, outputs are linear and this is exact; else it is the
      slope at the presentations' own activations, on average.
    - `attribution`: gradient × activation, summed over tokens: to first order what the unit adds
      on a presentation, through all that follows the hook, on average over presentations.
    - `sd`: standard deviation of that over the presentations of a session and stimulus, in units
      of the task's outputs: of their standard deviation, its root mean square over outputs.

    Time grows with outputs × presentations; memory holds a batch.

    Parameters
    ----------
    decoder : Decoder
        In evaluation mode.
    dictionary : Dictionary
        Its units and their atoms.
    hook : str
        The place in the transformer that the dictionary encodes.
    batches : Batches
        Windows of the presentations; standard deviations are within a batch.
    mask : ndarray of bool, shape (presentations,)
        Which of them.

    Returns
    -------
    pandas.DataFrame
        A row a task, output (`label`: its class, missing for a value) and unit.

    References
    ----------
    Elhage et al. 2021, A Mathematical Framework for Transformer Circuits.
    """
    sums = {
        task: _Sums(head.outputs, dictionary.d_sae)
        for task, head in decoder.vocabulary.tasks.items()
    }
    directions = atoms(dictionary).T
    for batch in batches.ordered(mask):
        passed = _passed(decoder, hook, batch)
        codes = dictionary.encode(passed.x.detach())
        for task, output in passed.outputs.items():
            sums[task].presented(output.detach())
            for column, (direct, total) in enumerate(_slopes(output, passed)):
                contribution = ((total @ directions) * codes).sum(1)
                sums[task].affected(column, direct.sum((0, 1)) @ directions, contribution)
    parts = []
    for task, head in decoder.vocabulary.tasks.items():
        if sums[task].windows:
            label = np.repeat(head.classes or np.nan, dictionary.d_sae)
            parts.append(sums[task].rows().assign(task=task, label=label))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def reuse(effects: pd.DataFrame) -> pd.DataFrame:
    """Tell how a unit's effect is spread over tasks.

    The size s of its effect on a task is the root mean square of `sd` over the task's outputs;
    `share` is s / Σ s, and `tasks` the participation ratio 1 / Σ share²: 1 for a unit that
    serves one task, the number of tasks for one that serves all alike.

    Parameters
    ----------
    effects : pandas.DataFrame
        What `effects` returns.

    Returns
    -------
    pandas.DataFrame
        A row a unit and task: unit, task, size, share, tasks; the last two are missing for a unit
        that does nothing.

    Examples
    --------
    >>> two = pd.DataFrame({"task": ["a", "b"], "unit": 0, "sd": [0.3, 0.1]})
    >>> reuse(two)[["share", "tasks"]].round(3).to_dict("list")
    {'share': [0.75, 0.25], 'tasks': [1.6, 1.6]}
    """
    squares = effects["sd"].pow(2).groupby([effects["unit"], effects["task"]], sort=False)
    rows = squares.mean().pow(0.5).rename("size").reset_index()
    rows = rows.sort_values("unit", kind="stable", ignore_index=True)
    unit = rows["unit"]
    rows["share"] = rows["size"] / rows["size"].groupby(unit).transform("sum")
    rows["tasks"] = 1 / rows["share"].pow(2).groupby(unit).transform("sum", min_count=1)
    return rows


class _Passed(NamedTuple):
    """What passed the decoder, with what is needed to go back."""

    x: Float[Tensor, "windows tokens dim"]
    """Activations at the hook."""
    stream: Float[Tensor, "windows tokens dim"]
    """Where the direct way starts: the latents that are read, or the hook itself at `readout`."""
    outputs: dict[str, Float[Tensor, "windows outputs"]]
    """By task, those of the head, centred over classes."""


def _passed(decoder: Decoder, hook: str, batch: Batch) -> _Passed:
    stream = hook if hook == "readout" else f"latents.{decoder.config.depth}"
    with (
        replacing(decoder, hook, lambda x: x.detach().requires_grad_()),
        reading(decoder, hook) as at_hook,
        reading(decoder, stream) as at_stream,
        reading(decoder, "readout") as at_readout,
    ):
        decoder(batch)
    assert at_hook.value is not None
    assert at_stream.value is not None
    assert at_readout.value is not None
    read = at_readout.value.unflatten(1, (-1, len(batch.tasks)))
    outputs = {task: decoder.head(task)(read[:, :, i]) for i, task in enumerate(batch.tasks)}
    for task, output in outputs.items():
        if decoder.vocabulary.tasks[task].classes:
            outputs[task] = output - output.mean(1, keepdim=True)
    return _Passed(at_hook.value, at_stream.value, outputs)


def _slopes(output: Tensor, passed: _Passed) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each output in turn, the slopes on the stream and on the hook's activations."""
    for column in range(output.shape[1]):
        direct, total = torch.autograd.grad(
            output[:, column].sum(), (passed.stream, passed.x), retain_graph=True
        )
        yield direct, total


class _Sums:
    """What has been seen of one task, of every output and unit."""

    def __init__(self, outputs: int, units: int):
        shape = outputs, units
        self.windows, self.outputs = 0, 0.0
        self.direct, self.contribution, self.squares = np.zeros((3, *shape))

    def presented(self, output: Float[Tensor, "windows outputs"]) -> None:
        self.windows += len(output)
        self.outputs += _squares(output).sum().item()

    def affected(
        self,
        column: int,
        direct: Float[Tensor, " units"],
        contribution: Float[Tensor, "windows units"],
    ) -> None:
        self.direct[column] += direct.numpy()
        self.contribution[column] += contribution.sum(0).numpy()
        self.squares[column] += _squares(contribution).numpy()

    def rows(self) -> pd.DataFrame:
        outputs, units = self.direct.shape
        return pd.DataFrame(
            {
                "unit": np.tile(np.arange(units), outputs),
                "direct": self.direct.ravel() / self.windows,
                "attribution": self.contribution.ravel() / self.windows,
                "sd": np.sqrt(self.squares.ravel() / (self.outputs / outputs)),
            }
        )


def _squares(values: Float[Tensor, "windows columns"]) -> Float[Tensor, " columns"]:
    """Sums of squared distances from the batch's mean."""
    return (values - values.mean(0)).square().sum(0)
