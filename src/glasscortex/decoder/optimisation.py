"""The optimisation of one decoder, step by step, with checkpoints."""

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from glasscortex.config import TrainConfig
from glasscortex.data.batches import Batch, Batches, Piece
from glasscortex.data.vocabulary import Vocabulary, has_label
from glasscortex.decoder.checkpoint import Checkpoint
from glasscortex.decoder.devices import (
    is_out_of_memory,
    random_states,
    set_random_states,
    sum_gradients,
    summed,
)
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.progress import Progress
from glasscortex.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)

SLOWER = 0.5
"""What the learning rate is multiplied by after an epoch that validation did not confirm."""

HISTORY = ["epoch", "train_loss", "validation_loss"]


def task_losses(
    outputs: dict[str, Tensor], targets: dict[str, np.ndarray], batch: Batch
) -> dict[str, Tensor]:
    """Mean loss of each task over the windows that it has a label for.

    Cross-entropy for classifications, mean squared error of standardised values for
    regressions. Tasks without a label in the batch are left out.
    """
    losses = {}
    for name, output in outputs.items():
        target = targets[name][batch.trials]
        known = has_label(target)
        if not known.any():
            continue
        output, target = output[known], torch.from_numpy(target[known]).to(output.device)
        if target.is_floating_point():
            losses[name] = F.mse_loss(output[:, 0], target)
        else:
            losses[name] = F.cross_entropy(output, target)
    return losses


def weighted_sum(losses: dict[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The losses of all tasks, each times its weight where that is not 1."""
    return reduce(torch.add, (weights.get(name, 1.0) * loss for name, loss in losses.items()))


def task_weights(vocabulary: Vocabulary, config: TrainConfig) -> dict[str, float]:
    """What multiplies the loss of each task, so that guessing costs the same in all.

    That is ln (classes) in a classification, and 1, the variance, in a regression: otherwise
    118 scenes outweigh a running speed by far.

    Parameters
    ----------
    vocabulary : Vocabulary
        Tasks and their classes.
    config : TrainConfig
        Weights beyond that.

    Returns
    -------
    dict of str to float
        By task.
    """
    guess = {t: math.log(h.outputs) if h.outputs > 1 else 1.0 for t, h in vocabulary.tasks.items()}
    return {task: config.task_weights.get(task, 1.0) / loss for task, loss in guess.items()}


class Optimisation:
    """AdamW with a cosine schedule, gradients of several sessions a step, early stopping.

    All processes walk through the same steps; the batches of a step are dealt out to them, and
    their gradients summed, so that the number of processes changes a result in rounding only
    (and in what dropout drops).

    Parameters
    ----------
    fabric : lightning_fabric.Fabric
        Device, precision and processes.
    decoder : Decoder
        Trained in place.
    batches : Batches
        Windows and targets of every session.
    config : TrainConfig
        Steps, rates and when to stop.
    seed : int
        Of the order of the batches.
    checkpoint : Checkpoint or None
        State after some step, which a training that was killed goes on from.
    """

    def __init__(
        self,
        fabric: "Fabric",
        decoder: Decoder,
        batches: Batches,
        config: TrainConfig,
        seed: int,
        checkpoint: Checkpoint | None,
    ):
        self.fabric, self.decoder, self.batches, self.config = fabric, decoder, batches, config
        self.seed, self.checkpoint = seed, checkpoint
        self.decoder.to(fabric.device)
        self.cells = list(decoder.cell_embeddings)
        self.order = {parameter: i for i, parameter in enumerate(decoder.parameters())}
        self.shared = list(set(self.order) - set(self.cells))
        self.weights = task_weights(decoder.vocabulary, config)
        split = batches.trials["split"].to_numpy()
        self.train_mask = split == "train"
        self.validation = batches.pieces(split == "validation", np.random.default_rng(seed))
        if not self.validation:
            raise InputError(
                "no presentation of the validation split has a label: raise trials.split.validation"
            )
        self.epoch = 0
        self.history: list[tuple[int, float, float]] = []
        self.losses: list[tuple[float, int]] = []
        """Loss and windows of each step of this epoch."""
        self.best_loss, self.best_epoch, self.best_weights = math.inf, 0, self._weights()
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), fused=True)
        steps = self._steps()
        self.windows = sum(len(piece.trials) for step in steps for piece in step)
        number = len(steps) * config.epochs
        warmup = max(1, round(config.warmup * number))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warmup, 0.5 + 0.5 * math.cos(math.pi * step / number)),
        )
        self.saved = time.monotonic()

    def run(self) -> pd.DataFrame:
        """Train to the end or until validation no longer improves, and keep the best weights.

        Those that training starts with are among them.

        Returns
        -------
        pandas.DataFrame
            The columns `HISTORY`, one row an epoch; epoch 0 is where training starts, without a
            training loss.

        Raises
        ------
        InputError
            The loss is no longer a number, or memory ran out; the checkpoint holds the last good
            step that was saved.
        """
        self._resume()
        if self.best_loss == math.inf:
            self.best_loss = self._validation_loss()
            self.history.append((0, math.nan, self.best_loss))
            log.info("start: validation loss %.4f", self.best_loss)
        done = self.epoch * self.windows + sum(windows for _, windows in self.losses)
        total = self.config.epochs * self.windows
        with Progress(total, done, self.fabric.is_global_zero) as progress:
            while (
                self.epoch < self.config.epochs
                and self.epoch - self.best_epoch < self.config.patience
            ):
                losses = self._train_epoch(progress), self._validation_loss()
                self.epoch, self.losses = self.epoch + 1, []
                self.history.append((self.epoch, *losses))
                log.info("epoch %d: training loss %.4f, validation loss %.4f", *self.history[-1])
                if losses[1] < self.best_loss:
                    self.best_loss, self.best_epoch = losses[1], self.epoch
                    self.best_weights = self._weights()
                elif self.decoder.transformer.STARTS_LINEAR:
                    self._go_back()
                self._save()
        self.decoder.load_state_dict(self.best_weights)
        self.decoder.cpu().eval()
        return pd.DataFrame(self.history, columns=HISTORY)

    def _parameter_groups(self) -> list[dict]:
        cells, decayed, free = [], [], []
        for name, parameter in self.decoder.named_parameters():
            if name.startswith("cell_embeddings"):
                cells.append(parameter)
            elif parameter.ndim > 1 and "embedding" not in name:
                decayed.append(parameter)
            else:
                free.append(parameter)
        rate, decay = self.config.learning_rate, self.config.weight_decay
        return [
            {"params": cells, "lr": rate * self.config.cell_rate, "weight_decay": decay},
            {"params": decayed, "lr": rate, "weight_decay": decay},
            {"params": free, "lr": rate, "weight_decay": 0.0},
        ]

    def _steps(self) -> list[list[Piece]]:
        """What each step of this epoch learns from."""
        rng = np.random.default_rng([self.seed, self.epoch])
        pieces, size = self.batches.pieces(self.train_mask, rng), self.config.sessions_per_step
        return [pieces[i : i + size] for i in range(0, len(pieces), size)]

    def _go_back(self) -> None:
        """Go on from the best weights, more slowly: where data are few, steps have to be small.

        Not from weights at random: they do not lose what a start knows, and leave the first
        plateau only by steps that are not small.
        """
        self.decoder.load_state_dict(self.best_weights)
        self.schedule.base_lrs = [SLOWER * rate for rate in self.schedule.base_lrs]

    def _own(self, pieces: list[Piece]) -> list[Piece]:
        """Those of this process."""
        return pieces[self.fabric.global_rank :: self.fabric.world_size]

    def _train_epoch(self, progress: Progress) -> float:
        self.decoder.train()
        steps = self._steps()[len(self.losses) :]
        own = (piece for step in steps for piece in self._own(step))
        with closing(self.batches.read(own)) as batches:
            for step in steps:
                windows = sum(len(piece.trials) for piece in step)
                self._look_at(step)
                with self._explained(step):
                    loss = self._step(list(islice(batches, len(self._own(step)))), windows)
                self.losses.append((loss, windows))
                progress.add(windows, self.epoch + 1, loss)
                if self._save_is_due():
                    self._save()
        losses, weights = zip(*self.losses)
        return float(np.average(losses, weights=weights))

    def _look_at(self, step: list[Piece]) -> None:
        """Let the optimiser pass over the cells that no process sees in this step.

        They have no gradient, but only to ask 1,300 containers for one takes a millisecond.
        """
        rows = self.batches.vocabulary.cell_rows()
        seen = sorted({rows[piece.session_id][0] for piece in step})
        cells = [self.cells[container] for container in seen]
        self.optimizer.param_groups[0]["params"] = cells
        self.parameters = sorted([*cells, *self.shared], key=self.order.__getitem__)

    def _step(self, batches: list[Batch], windows: int) -> float:
        losses = []
        for batch in batches:
            loss = self._loss(batch) * (len(batch.trials) / windows)
            loss.backward()
            losses.append(self._checked(loss.item(), batch))
        (total,) = summed(self.fabric, [sum(losses, 0.0)])
        sum_gradients(self.fabric, self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self._checked(norm.item(), *batches)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        return total

    def _loss(self, batch: Batch) -> Tensor:
        with self.fabric.autocast():
            outputs = self.decoder(batch.to(self.fabric.device))
            losses = task_losses(outputs, self.batches.targets, batch)
        return weighted_sum(losses, self.weights)

    @torch.no_grad()
    def _validation_loss(self) -> float:
        self.decoder.eval()
        own, losses = self._own(self.validation), []
        with closing(self.batches.read(own)) as batches:
            for piece in own:
                with self._explained([piece]):
                    batch = next(batches)
                    losses.append(self._checked(self._loss(batch).item(), batch))
        everyone = np.zeros(len(self.validation))
        everyone[self.fabric.global_rank :: self.fabric.world_size] = losses
        windows = [len(piece.trials) for piece in self.validation]
        return float(np.average(summed(self.fabric, everyone.tolist()), weights=windows))

    def _checked(self, value: float, *batches: Batch) -> float:
        """The value, a loss or the norm of its gradient.

        Raises
        ------
        InputError
            It is no number.
        """
        if math.isfinite(value):
            return value
        for batch in batches:
            if not batch.values.isfinite().all():
                raise InputError(
                    f"the windows of session {batch.session_id} hold values that are no numbers "
                    f"({self._place([batch])}): make them again; {self._kept()}"
                )
        raise InputError(
            f"the loss or its gradient is {value} in {self._place(batches)}: lower "
            f"decoder.train.learning_rate or decoder.train.clip; {self._kept()}"
        )

    @contextmanager
    def _explained(self, pieces: list[Piece]) -> Iterator[None]:
        """Turn running out of memory into an `InputError`."""
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            rows = self.batches.vocabulary.cell_rows()
            cells = max(len(rows[piece.session_id][1]) for piece in pieces)
            raise InputError(
                f"memory ran out in {self._place(pieces)} ({cells} cells): lower "
                f"decoder.train.batch, or the transformer's dim; {self._kept()}"
            ) from None

    def _place(self, pieces: Iterable[Piece | Batch]) -> str:
        sessions = ", ".join(dict.fromkeys(piece.session_id for piece in pieces))
        return f"epoch {self.epoch + 1}, step {len(self.losses) + 1}, session {sessions}"

    def _kept(self) -> str:
        if self.checkpoint and self.checkpoint.path.exists():
            return f"{self.checkpoint} keeps the last good checkpoint"
        return "there is no checkpoint yet"

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.decoder.state_dict().items()}

    def _save_is_due(self) -> bool:
        minutes = (time.monotonic() - self.saved) / 60
        late = self.fabric.is_global_zero and minutes >= self.config.checkpoint_minutes
        return bool(summed(self.fabric, [float(late)])[0])

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        self.optimizer.param_groups[0]["params"] = self.cells
        state = {
            "epoch": self.epoch,
            "losses": self.losses,
            "history": self.history,
            "best": (self.best_loss, self.best_epoch, self.best_weights),
            "weights": self.decoder.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": random_states(self.fabric),
        }
        if self.fabric.is_global_zero:
            self.checkpoint.save(state)
        self.fabric.barrier()
        self.saved = time.monotonic()

    def _resume(self) -> None:
        state = self.checkpoint.load(self.fabric.device) if self.checkpoint else None
        if state is None:
            return
        self.epoch, self.losses = state["epoch"], state["losses"]
        self.history = state["history"]
        self.best_loss, self.best_epoch, self.best_weights = state["best"]
        self.decoder.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        set_random_states(self.fabric, state["random"])
        log.info(
            "going on after %d epochs and %d steps from %s",
            *(self.epoch, len(self.losses), self.checkpoint),
        )
