"""What a unit does to the decoder's outputs: how far it moves each, and in how many tasks."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from torch import Tensor

from glasscortex.analysis.removal import atoms
from glasscortex.data.batches import Batches
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.slopes import passed, slopes
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
    for batch in batches.ordered(mask & batches.decodable):
        run = passed(decoder, hook, batch)
        codes = dictionary.encode(run.x.detach())
        for task, output in run.outputs.items():
            sums[task].presented(output.detach())
            for column, (direct, total) in enumerate(slopes(output, run)):
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
