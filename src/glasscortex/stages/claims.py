"""Hold the claims against the tables."""

from glasscortex.analysis import claims as held
from glasscortex.config import SelectivityConfig
from glasscortex.stages.arguments import Input, OptionalInput, Output


def claims(
    *,
    decoding: Input,
    comparison: Input,
    sae: Input,
    splice: Input,
    selectivity: Input,
    ablation: Input,
    recovery: OptionalInput = None,
    sessions: Input,
    table: Output,
    config: SelectivityConfig,
) -> None:
    """Hold the claims against the tables."""
    held.claims(
        decoding=decoding,
        comparison=comparison,
        sae=sae,
        splice=splice,
        selectivity=selectivity,
        ablation=ablation,
        recovery=recovery,
        sessions=sessions,
        config=config,
        out=table,
    )
