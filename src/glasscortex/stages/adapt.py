"""Adapt a transformer to new sessions, with few repeats of theirs."""

import pandas as pd

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.data.definitions import extended, merged, recoded
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import adapt as adaptation
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.start import Projection
from glasscortex.stages.arguments import Folder, Inputs, Output, Threads
from glasscortex.tables import read_definitions, read_trials, write_table


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
    known = trained.vocabulary.definitions
    of_parts = list(map(read_definitions, trials))
    everything = extended(known, merged([known, *of_parts]))
    tables = [
        recoded(read_trials(part), own, everything)
        for part, own in zip(trials, of_parts, strict=True)
    ]
    table = adaptation.adapt(
        trained,
        Projection.load(decoder) if trained.transformer.STARTS_LINEAR else None,
        pd.concat(tables, ignore_index=True),
        WindowsFolder(windows),
        config,
        scratch,
        linear,
        seed,
        threads,
    )
    write_table(table, scores, model="trained", seed=seed)
