"""From what the queries read to the outputs of a task."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from glasscortex.data.vocabulary import Vocabulary


class StepwiseLinear(nn.Linear):
    """A linear map of each of the first `steps` steps of a window, averaged over its steps."""

    def __init__(self, dim: int, steps: int, outputs: int):
        super().__init__(steps * dim, outputs)
        self.steps = steps

    def forward(self, x: Float[Tensor, "windows steps dim"]) -> Float[Tensor, "windows outputs"]:
        return super().forward(self.features(x))

    def features(self, x: Float[Tensor, "windows steps dim"]) -> Float[Tensor, "windows features"]:
        """What the weights multiply: the steps side by side, zero where a window has none."""
        flat = x.flatten(1) / x.shape[1]
        return F.pad(flat, (0, self.in_features - flat.shape[1]))

    @torch.no_grad()
    def set_weight(self, weight: Float[Tensor, "outputs features"]) -> None:
        """Take these weights, given for what `features` returns, and no bias."""
        self.weight.copy_(weight)
        self.bias.zero_()


class SessionOutputs(nn.Module):
    """What of a task's outputs is a session's own: classes that it was shown, bias and gain.

    An output is gain · (that of the head + bias), and −∞ for a class that the session was not
    shown. No activity enters: what tells classes apart is in the transformer.

    Parameters
    ----------
    vocabulary : Vocabulary
        Sessions and tasks.

    Attributes
    ----------
    hidden : Tensor of bool, shape (sessions, outputs)
        Outputs, of all tasks side by side, that a session cannot have.
    bias : Tensor, shape (sessions, outputs)
        Added to the heads' outputs.
    gain : Tensor, shape (sessions, tasks)
        What multiplies them then.
    """

    hidden: Bool[Tensor, "sessions outputs"]
    bias: Float[Tensor, "sessions outputs"]
    gain: Float[Tensor, "sessions tasks"]

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self.sessions = vocabulary.session_rows
        ends = np.cumsum([head.outputs for head in vocabulary.tasks.values()])
        heads = zip(vocabulary.tasks.items(), ends)
        self.columns = {task: slice(end - head.outputs, end) for (task, head), end in heads}
        self.tasks = {task: column for column, task in enumerate(vocabulary.tasks)}
        sessions, outputs = len(vocabulary.sessions), int(ends[-1]) if len(ends) else 0
        hidden = torch.zeros(sessions, outputs, dtype=torch.bool)
        for session, presented in vocabulary.presented.items():
            for task, classes in presented.items():
                row = hidden[self.sessions[session], self.columns[task]]
                row[:] = True
                row[list(classes)] = False
        self.register_buffer("hidden", hidden, persistent=False)
        self.register_buffer("bias", torch.zeros(sessions, outputs))
        self.register_buffer("gain", torch.ones(sessions, len(vocabulary.tasks)))

    def forward(
        self, output: Float[Tensor, "windows outputs"], session: int, task: str
    ) -> Float[Tensor, "windows outputs"]:
        """The outputs of a session, from those of the head that all sessions share."""
        columns = self.columns[task]
        output = (output + self.bias[session, columns]) * self.gain[session, self.tasks[task]]
        return output.masked_fill(self.hidden[session, columns], -torch.inf)

    def reset(self) -> None:
        """No bias, and gains of one."""
        self.bias.zero_()
        self.gain.fill_(1)

    def add(self, session: str, task: str, bias: Float[np.ndarray, " outputs"]) -> None:
        """Add to a session's bias."""
        self.bias[self.sessions[session], self.columns[task]] += torch.from_numpy(bias)
