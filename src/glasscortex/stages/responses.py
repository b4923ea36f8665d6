"""Write the responses of a dictionary's units to every presentation."""

import torch

from glasscortex.data.store import verify, write_manifest
from glasscortex.dictionaries import Dictionary
from glasscortex.dictionaries.activations import hook_of
from glasscortex.dictionaries.responses import write_responses
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
    dictionary, hook = Dictionary.load(folder), hook_of(activations)
    if hook != dictionary.hook:
        raise InputError(
            f"{activations} holds hook {hook}, but {folder} reads {dictionary.hook}: "
            "give the activations that it was fitted on"
        )
    with atomic_write(responses) as temporary:
        write_responses(temporary, dictionary, activations)
    write_manifest(responses, checksums, hook=hook)
