"""Adapt a transformer to new sessions, with few repeats of theirs."""

import pandas as pd

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.data.definitions import extended, merged, recoded
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder import adapt as adaptation
from glasscortex.decoder.model import Decoder
from glasscortex.decoder.start import Projection
from glasscortex.stages.arguments import Folder, Input, Output, Threads
from glasscortex.tables import parts_of_sessions, read_definitions, read_trials, write_table


def adapt(
    *,
    sessions: Input,
    trials: Folder,
    decoder: Folder,
    windows: Folder,
    scores: Output,
    seed: int,
    config: AdaptConfig,
    scratch: DecoderConfig,
    linear: BaselineConfig,
    threads: Threads,
) -> None:
    """Adapt a transformer to new sessions, with few repeats of theirs.

    Parameters
    ----------
    sessions : Path
        Table of sessions; those that are held out are new.
    trials, windows : Path
        Folders of the sessions' presentations, and of their windows.
    decoder : Path
        Folder of the decoder.
    scores : Path
        What `glasscortex.decoder.adapt.adapt` returns.
    seed : int
        Of the decoder, and of all random numbers.
    config : AdaptConfig
    scratch : DecoderConfig
        Of a decoder that starts anew.
    linear : BaselineConfig
        Of a linear one.
    threads : int
        Sessions at a time.
    """
    trained = Decoder.load(decoder)
    known = trained.vocabulary.definitions
    parts = parts_of_sessions(sessions, trials, ".parquet", held_out=[True])
    of_parts = list(map(read_definitions, parts))
    everything = extended(known, merged([known, *of_parts]))
    tables = [
        recoded(read_trials(part), own, everything)
        for part, own in zip(parts, of_parts, strict=True)
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
