"""Stream the activations of one hook to a store."""

import torch

from glasscortex.data.batches import Batches
from glasscortex.data.store import write_manifest
from glasscortex.data.windows import WindowsFolder
from glasscortex.decoder.evaluate import EVALUATION_BATCH
from glasscortex.decoder.model import Decoder
from glasscortex.dictionaries.activations import write_activations
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Folder, Input, Output
from glasscortex.tables import read_trials


def activations(
    *,
    decoder: Folder,
    trials: Input,
    windows: Folder,
    hook: str,
    activations: Output,
    manifest: Output,
) -> None:
    """Stream the activations of one hook to a store.

    One thread: the result does not depend on the machine's cores.
    """
    torch.set_num_threads(1)
    model, table = Decoder.load(decoder), read_trials(trials)
    batches = Batches(WindowsFolder(windows), table, model.vocabulary, EVALUATION_BATCH)
    with atomic_write(activations) as temporary:
        write_activations(temporary, model, batches, hook)
    write_manifest(activations, manifest, hook=hook)
