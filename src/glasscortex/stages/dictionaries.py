"""Say of every dictionary how sparse, faithful and well read it is, and hold it against bases."""

from glasscortex.analysis import rivals as beside
from glasscortex.stages.arguments import Input, Output
from glasscortex.tables import read_table, write_table


def dictionaries(
    *,
    sae: Input,
    splice: Input,
    decoding: Input,
    probing: Input,
    table: Output,
    rivals: Output,
    bases: tuple[str, ...],
) -> None:
    """Say of every dictionary how sparse, faithful and well read it is, and hold it against bases.

    Parameters
    ----------
    sae, splice, decoding, probing : Path
        Tables.
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
        bases=bases,
    )
    write_table(rows, table)
    write_table(beside.rivals(sae=fits, probing=probes, bases=bases), rivals)
