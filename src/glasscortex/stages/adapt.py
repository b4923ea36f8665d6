"""Adapt a transformer to new sessions, with few repeats of theirs."""

from glasscortex.config import AdaptConfig, BaselineConfig, DecoderConfig
from glasscortex.decoder import adapt as adaptation
from glasscortex.stages.arguments import Folder, Inputs, Output, Threads


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
    adaptation.adapt(
        trials=trials,
        decoder=decoder,
        windows=windows,
        seed=seed,
        config=config,
        scratch=scratch,
        linear=linear,
        out=scores,
        model="trained",
        processes=threads,
    )
