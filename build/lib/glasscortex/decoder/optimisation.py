"""The optimisation of one decoder, epoch by epoch, with checkpoints."""

import logging
import math
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from glasscortex.config import TrainConfig
from glasscortex.data.batches import Batch, Batches
from glasscortex.data.vocabulary import has_label
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError
from glasscortex.files import whole

log = logging.getLogger(__name__)

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


class Optimisation:
    """AdamW with a cosine schedule, gradients of several sessions a step, early stopping.

    Parameters
    ----------
    decoder : trained in place
    batches : windows and targets of every session
    config : see `TrainConfig`
    seed : of the order of the batches
    checkpoint : state after the last epoch, taken up if its `identity` is this run's
    """

    def __init__(
        self,
        decoder: Decoder,
        batches: Batches,
        config: TrainConfig,
        seed: int,
        checkpoint: Path,
        identity: str,
    ):
        self.decoder, self.batches, self.config = decoder, batches, config
        self.seed, self.checkpoint, self.identity = seed, checkpoint, identity
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.decoder.to(self.device)
        split = batches.trials["split"].to_numpy()
        self.train_mask, self.validation_mask = split == "train", split == "validation"
        if not batches.number(self.validation_mask):
            raise InputError(
                "no presentation of the validation split has a label: raise trials.split.validation"
            )
        self.epoch, self.history = 0, []
        self.best_loss, self.best_epoch, self.best_weights = math.inf, 0, self._weights()
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), fused=True)
        steps = -(-batches.number(self.train_mask) // config.sessions_per_step) * config.epochs
        warmup = max(1, round(config.warmup * steps))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warmup, 0.5 + 0.5 * math.cos(math.pi * step / steps)),
        )

    def run(self) -> pd.DataFrame:
        """Train to the end or until validation no longer improves, and keep the best weights.

        Returns
        -------
        DataFrame with the columns `HISTORY`

        Raises
        ------
        InputError
            The loss is no longer a number; the checkpoint holds the last good epoch.
        """
        self._resume()
        while (
            self.epoch < self.config.epochs and self.epoch - self.best_epoch < self.config.patience
        ):
            losses = self._train_epoch(), self._validation_loss()
            self.epoch += 1
            self.history.append((self.epoch, *losses))
            log.info("epoch %d: training loss %.4f, validation loss %.4f", *self.history[-1])
            if losses[1] < self.best_loss:
                self.best_loss, self.best_epoch = losses[1], self.epoch
                self.best_weights = self._weights()
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

    def _train_epoch(self) -> float:
        self.decoder.train()
        rng = np.random.default_rng([self.seed, self.epoch])
        losses, windows, waiting = [], [], []
        number = self.batches.number(self.train_mask)
        for i, batch in enumerate(self.batches.shuffled(self.train_mask, rng), start=1):
            waiting.append(batch)
            if len(waiting) == self.config.sessions_per_step or i == number:
                losses.append(self._step(waiting))
                windows.append(sum(len(b.trials) for b in waiting))
                waiting = []
        return float(np.average(losses, weights=windows))

    def _step(self, batches: list[Batch]) -> float:
        windows = sum(len(batch.trials) for batch in batches)
        total = 0.0
        for batch in batches:
            loss = self._loss(batch) * (len(batch.trials) / windows)
            loss.backward()
            total += loss.item()
        if not math.isfinite(total):
            raise InputError(
                f"the training loss is {total} in epoch {self.epoch + 1}: "
                "lower decoder.train.learning_rate"
            )
        torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), self.config.clip)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        return total

    def _loss(self, batch: Batch) -> Tensor:
        outputs = self.decoder(batch.to(self.device))
        losses = task_losses(outputs, self.batches.targets, batch)
        weights = self.config.task_weights
        return sum(weights.get(name, 1.0) * loss for name, loss in losses.items())

    @torch.no_grad()
    def _validation_loss(self) -> float:
        self.decoder.eval()
        rng = np.random.default_rng(self.seed)
        batches = self.batches.shuffled(self.validation_mask, rng)
        losses = [(self._loss(batch).item(), len(batch.trials)) for batch in batches]
        values, windows = zip(*losses)
        return float(np.average(values, weights=windows))

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.decoder.state_dict().items()}

    def _save(self) -> None:
        state = {
            "identity": self.identity,
            "epoch": self.epoch,
            "history": self.history,
            "best": (self.best_loss, self.best_epoch, self.best_weights),
            "weights": self.decoder.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        with whole(self.checkpoint) as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        if state["identity"] != self.identity:
            log.info("%s belongs to other settings or data: starting afresh", self.checkpoint)
            return
        self.epoch, self.history = state["epoch"], state["history"]
        self.best_loss, self.best_epoch, self.best_weights = state["best"]
        self.decoder.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"].cpu())
        log.info("going on after epoch %d from %s", self.epoch, self.checkpoint)
