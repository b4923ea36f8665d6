"""Say of every dictionary how sparse, faithful and well read it is, and hold it against bases."""

from glasscortex.analysis import rivals as beside
from glasscortex.stages.arguments import Input, OptionalInput, Output
from glasscortex.tables import read_table, write_table


def dictionaries(
    *,
    sae: Input,
    splice: Input,
    decoding: Input,
    probing: Input,
    recovery: OptionalInput = None,
    table: Output,
    rivals: Output,
    bases: tuple[str, ...],
) -> None:
    """Say of every dictionary how sparse, faithful and well read it is, and hold it against bases.

    Parameters
    ----------
    sae, splice, decoding, probing, recovery : Path
        Tables; recovery only of recordings with ground truth.
    table, rivals : Path
        What these functions of `glasscortex.analysis.rivals` return.
    bases : tuple of str
        Names of the dictionaries that are bases.
    """
    fits, probes = read_table(sae), read_table(probing)
    rows = beside.dictionaries(
        sae=fits,
        splice=read_table(splice),
        decoding=read_table(decoding),
        probing=probes,
        recovery=read_table(recovery) if recovery else None,
        bases=bases,
    )
    write_table(rows, table)
    write_table(beside.rivals(sae=fits, probing=probes, bases=bases), rivals)
