"""Read or replace the activations at a named place of the transformer.

Inside the block every batch is read, or decoded with what was put in place::

    with reading(decoder, "latents.2") as seen:
        decoder(batch)
    seen["latents.2"].shape

    with replacing(decoder, "latents.2", torch.zeros_like):
        outputs = decoder(batch)
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from jaxtyping import Float
from torch import Tensor

from glasscortex.data.batches import Batch
from glasscortex.decoder.model import Decoder
from glasscortex.errors import InputError


@contextmanager
def replacing(decoder: Decoder, name: str, edit: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside the block, activations x at hook `name` become `edit(x)`.

    The model is restored when the block ends, also by an exception.

    Raises
    ------
    InputError
        The decoder has no hook of that name.
    """
    hooks = decoder.hooks
    if name not in hooks:
        raise InputError(f"hook {name} does not exist: use one of {', '.join(hooks)}")
    handle = hooks[name].register_forward_hook(lambda hook, inputs, x: edit(x))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def reading(decoder: Decoder, *names: str) -> Iterator[dict[str, Tensor]]:
    """Inside the block, keep what last passed each hook: (windows, tokens, dim), by name.

    Raises
    ------
    InputError
        The decoder has no hook of that name.
    """
    seen: dict[str, Tensor] = {}
    with ExitStack() as stack:
        for name in dict.fromkeys(names):
            keep = partial(_keep, seen, name)
            stack.enter_context(replacing(decoder, name, keep))
        yield seen


def _keep(seen: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    seen[name] = x
    return x


def activations(decoder: Decoder, name: str, batch: Batch) -> Float[Tensor, "windows tokens dim"]:
    """What passes hook `name` when a batch is decoded.

    Raises
    ------
    InputError
        The decoder has no hook of that name.
    """
    with reading(decoder, name) as seen:
        decoder(batch)
    return seen[name]
