"""Where training runs: on which device, in which precision, and in how many processes."""

import os
import pickle
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.multiprocessing import ProcessRaisedException

from glasscortex.config import TrainConfig
from glasscortex.errors import InputError
from glasscortex.logs import log_to_stderr

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def on_devices(config: TrainConfig, function: Callable, model: nn.Module, *arguments) -> None:
    """Call `function(fabric, model, *arguments)` in every process of the configuration.

    One device is this process itself. Several are processes of their own, to which the function,
    the model and the arguments are sent by value; then the model takes the weights that the first
    process ends with.

    Parameters
    ----------
    config : TrainConfig
        Device, precision, processes and the threads of each.
    function : callable
        What every process does; what it returns is lost.
    model : torch.nn.Module
        On the CPU; its weights are changed.
    *arguments : object
        Whatever else the function takes.

    Raises
    ------
    InputError
        There are too few GPUs; or a process raised one.
    """
    from lightning_fabric import Fabric  # 0.9 s, which only training needs
    from lightning_fabric.plugins.environments import LightningEnvironment

    gpus = 0 if config.accelerator == "cpu" else torch.cuda.device_count()
    if (gpus or config.accelerator == "gpu") and gpus < config.devices:
        raise InputError(
            f"decoder.train needs {config.devices} GPUs and there are {gpus}: lower "
            "decoder.train.devices, or set decoder.train.accelerator to cpu"
        )
    several = config.devices > 1
    fabric = Fabric(
        accelerator="cuda" if gpus else "cpu",
        devices=config.devices,
        strategy="ddp_spawn" if several else "auto",
        precision="bf16-mixed" if config.precision == "bf16" else "32-true",
        plugins=LightningEnvironment(),  # one machine, also inside a Slurm job
    )
    if not several:
        fabric.launch(
            partial(_call, function=function, config=config, arguments=(model, *arguments))
        )
        return
    weights = _flat(model).share_memory_()
    # pickled here: torch would send every tensor as an open file, and a model has thousands
    sent = pickle.dumps((function, model))
    work = partial(_call_on_a_copy, sent=sent, weights=weights, config=config, arguments=arguments)
    try:
        fabric.launch(work)
    except ProcessRaisedException as error:
        _, ours, message = str(error).rpartition(f"{InputError.__module__}.InputError: ")
        if not ours:
            raise
        raise InputError(message.strip()) from None
    tensors = model.state_dict().values()
    for tensor, learnt in zip(tensors, weights.split([t.numel() for t in tensors])):
        tensor.copy_(learnt.view_as(tensor))


def _call(
    fabric: "Fabric", function: Callable[..., None], config: TrainConfig, arguments: tuple
) -> None:
    torch.set_num_threads(config.threads)
    if fabric.world_size > 1 and fabric.is_global_zero:
        log_to_stderr()
    if fabric.device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the same sums every time
        torch.use_deterministic_algorithms(True, warn_only=True)
    function(fabric, *arguments)


def _call_on_a_copy(
    fabric: "Fabric", sent: bytes, weights: Tensor, config: TrainConfig, arguments: tuple
) -> None:
    function, model = pickle.loads(sent)
    _call(fabric, function, config, (model, *arguments))
    if fabric.is_global_zero:
        weights.copy_(_flat(model))


def _flat(model: nn.Module) -> Float[Tensor, " weights"]:
    return torch.cat([tensor.detach().flatten() for tensor in model.state_dict().values()])


def summed(fabric: "Fabric", values: list[float]) -> list[float]:
    """Each value, summed over the processes."""
    if fabric.world_size == 1:
        return values
    total = torch.tensor(values, dtype=torch.float64, device=fabric.device)
    distributed.all_reduce(total)
    return total.tolist()


def sum_gradients(fabric: "Fabric", parameters: list[Tensor]) -> None:
    """Give every process the sum of the gradients of all.

    Only gradients that some process has are sent: the cells of sessions outside this step have
    none, so that a step costs the same for any number of sessions. DistributedDataParallel would
    send zeros for all of them.
    """
    if fabric.world_size == 1:
        return
    holders = summed(fabric, [float(p.grad is not None) for p in parameters])
    used = [p for p, n in zip(parameters, holders) if n]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in used]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(together)
    for parameter, gradient in zip(used, together.split([p.numel() for p in used])):
        parameter.grad = gradient.view_as(parameter)


def random_states(fabric: "Fabric") -> dict[str, Tensor]:
    """State of torch's generators, (processes, bytes), in every process the same."""
    states = {"cpu": torch.get_rng_state()}
    if fabric.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(fabric.device)
    gathered = {}
    for name, state in states.items():
        rows = torch.zeros(fabric.world_size, len(state), dtype=state.dtype, device=fabric.device)
        rows[fabric.global_rank] = state
        if fabric.world_size > 1:
            distributed.all_reduce(rows)
        gathered[name] = rows.cpu()
    return gathered


def set_random_states(fabric: "Fabric", states: dict[str, Tensor]) -> None:
    """Take up what `random_states` gave."""
    own = {name: rows[fabric.global_rank].cpu().clone() for name, rows in states.items()}
    torch.set_rng_state(own["cpu"])  # a view of the second row would end in a crash
    if "cuda" in own:
        torch.cuda.set_rng_state(own["cuda"], fabric.device)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device, or the machine, has no memory left."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
