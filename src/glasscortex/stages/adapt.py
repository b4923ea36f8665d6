"""Adapt a transformer to new sessions, with few repeats of theirs."""

import pandas as pd

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import adapt as adaptation
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.start import Projection
from glasscortex.stages.arguments import Folder, Inputs, Output, Threads
from glasscortex.tables import read_trials, write_table


def adapt(
    *,
    trials: Inputs,
    decoder: Folder,
    windows: Folder,
    scores: Output,
    seed: int,
    config: AdaptConfig,
    scratch: DecoderConfig,
    linear: BaselineConfig,
    threads: Threads,
) -> None:
    """Adapt a transformer to new sessions, with few repeats of theirs."""
    trained = Decoder.load(decoder)
    table = adaptation.adapt(
        trained,
        Projection.load(decoder) if trained.transformer.STARTS_LINEAR else None,
        pd.concat(map(read_trials, trials), ignore_index=True),
        WindowsFolder(windows),
        config,
        scratch,
        linear,
        seed,
        threads,
    )
    write_table(table, scores, model="trained", seed=seed)
