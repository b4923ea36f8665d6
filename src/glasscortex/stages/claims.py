"""Hold the claims against the tables."""

from glasscortex.analysis import claims as held
from glasscortex.config import SelectivityConfig
from glasscortex.stages.arguments import Input, OptionalInput, Output
from glasscortex.tables import read_table, write_table


def claims(
    *,
    decoding: Input,
    comparison: Input,
    sae: Input,
    splice: Input,
    selectivity: Input,
    recognition: Input,
    ablation: Input,
    recovery: OptionalInput = None,
    consensus: OptionalInput = None,
    table: Output,
    config: SelectivityConfig,
) -> None:
    """Hold the claims against the tables.

    Parameters
    ----------
    decoding, comparison, sae, splice, selectivity, recognition, ablation : Path
    recovery, consensus : Path
        Tables; recovery only of recordings with ground truth, consensus only of several seeds.
    table : Path
        What `claims` returns.
    config : SelectivityConfig
        The thresholds that selectivity was decided by.
    """
    rows = held.claims(
        decoding=read_table(decoding),
        comparison=read_table(comparison),
        sae=read_table(sae),
        splice=read_table(splice),
        selectivity=read_table(selectivity),
        recognition=read_table(recognition),
        ablation=read_table(ablation),
        recovery=read_table(recovery) if recovery else None,
        consensus=read_table(consensus) if consensus else None,
        config=config,
    )
    write_table(rows, table)
