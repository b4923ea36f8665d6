"""Write the responses of a dictionary's units to every presentation."""

import torch

from glasscortex.data.store import verify, write_manifest
from glasscortex.dictionaries.activations import Activations
from glasscortex.dictionaries.responses import write_responses
from glasscortex.dictionaries.topk import TopKSae
from glasscortex.errors import InputError
from glasscortex.files import atomic_write
from glasscortex.stages.arguments import Folder, Input, Output


def responses(
    *, folder: Folder, activations: Input, manifest: Input, responses: Output, checksums: Output
) -> None:
    """Write the responses of a dictionary's units to every presentation.

    Raises
    ------
    InputError
        The activations are not those of the manifest, or of another hook than the dictionary.
    """
    torch.set_num_threads(1)
    verify(activations, manifest)
    dictionary, recorded = TopKSae.load(folder), Activations(activations)
    if recorded.hook != dictionary.hook:
        raise InputError(
            f"{activations} holds hook {recorded.hook}, but {folder} reads {dictionary.hook}: "
            "give the activations that it was fitted on"
        )
    with atomic_write(responses) as temporary:
        write_responses(temporary, dictionary, recorded)
    write_manifest(responses, checksums, hook=recorded.hook)
