"""Tell what each unit does to the decoder's outputs, and which cells and times drive it."""

import pyarrow.parquet as pq
import torch

from glasscortex.analysis.bench import evenly
from glasscortex.analysis.input_attribution import drives, schema
from glasscortex.analysis.output_effects import effects as effects_on_outputs
from glasscortex.analysis.output_effects import reuse as reuse_of
from glasscortex.config import AttributionConfig
from glasscortex.data.batches import Batches
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries import Dictionary
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_trials, write_table


def attribute(
    *,
    decoder: Folder,
    folder: Folder,
    trials: Input,
    windows: Folder,
    effects: Output,
    reuse: Output,
    cells: Output,
    times: Output,
    model: str,
    seed: int,
    sae: str,
    config: AttributionConfig,
) -> None:
    """Tell what each unit does to the decoder's outputs, and which cells and times drive it.

    Parameters
    ----------
    decoder, folder : Path
        Folders of the decoder and of the dictionary.
    trials : Path
        Table.
    windows : Path
        Folder of the sessions' windows.
    effects, reuse : Path
        What these functions of `glasscortex.analysis.output_effects` return, as CSV.
    cells, times : Path
        What drives each unit, as Parquet: the tables of `glasscortex.analysis.input_attribution`.
    model, seed, sae : str, int
        Of the decoder, and of the dictionary.
    config : AttributionConfig

    Raises
    ------
    InputError
        The dictionary names no hook.
    """
    torch.set_num_threads(config.threads)
    transformer, dictionary = Decoder.load(decoder), Dictionary.load(folder)
    if dictionary.hook is None:
        raise InputError(f"{folder} says no hook whose units it has: fit it with hook=…")
    table = read_trials(trials)
    batches = Batches(WindowsFolder(windows), table, transformer.vocabulary, config.windows)
    sample = evenly(table, config.windows)
    rows = effects_on_outputs(transformer, dictionary, dictionary.hook, batches, sample)
    for part, path in ((rows, effects), (reuse_of(rows), reuse)):
        write_table(part, path, model=model, seed=seed, sae=sae)
    with (
        atomic_write(cells) as cell_file,
        atomic_write(times) as time_file,
        pq.ParquetWriter(cell_file, schema("cell")) as cell_writer,
        pq.ParquetWriter(time_file, schema("time_s")) as time_writer,
    ):
        for drive in drives(
            transformer,
            dictionary,
            dictionary.hook,
            batches,
            sample,
            config.presentations,
            config.nodes,
        ):
            cell_writer.write_table(drive.by_cell())
            time_writer.write_table(drive.by_time())
