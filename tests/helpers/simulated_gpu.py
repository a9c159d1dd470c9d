"""A GPU that is simulated on the CPU: it counts copies and waits, and refuses what a real GPU would refuse.

    with simulated_gpu() as gpu:
        model.to("cuda:0")          # a tensor that says it is on a GPU; its numbers are in this computer's memory
        answers = list(decoder.decode(...))
    assert gpu.waits == 3           # times that this thread would have waited until the GPU had finished its work

Tensors of different devices in one operation are an error, as on a real GPU, so index tensors that are left on the
CPU are found. Gradients cannot be simulated: torch's autograd needs a real GPU. Use it inside `torch.no_grad()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

COPIES = {"aten::_to_copy", "aten::copy_"}
# Their results are needed by this process: a number, or the size of a tensor.
WAITING = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::_unique2"}
# As on a real GPU, numbers on the CPU may be indices, the source of a copy, or a tensor without dimensions.
MIXING = COPIES | {"aten::index.Tensor", "aten::index_put_", "aten::index", "aten::_index_put_impl_"}

# Methods of tensors that need torch's build for CUDA, and the operators that do the same.
WITHOUT_BUILD = {
    torch.Tensor.__invert__: torch.ops.aten.bitwise_not.default,
    torch.Tensor.nonzero: torch.ops.aten.nonzero.default,
}


@dataclass
class GpuCounts:
    """What a program did with simulated GPUs."""

    to_gpu: int = 0  # copies
    to_cpu: int = 0
    waits: int = 0
    kernels: Counter[str] = field(default_factory=Counter)  # by operator

    def reset(self) -> None:
        self.to_gpu = self.to_cpu = self.waits = 0
        self.kernels.clear()


class GpuTensor(torch.Tensor):
    """A tensor that says it is on a GPU."""

    numbers: torch.Tensor
    run: Callable[..., Any]

    @staticmethod
    def __new__(cls, numbers: torch.Tensor, device: torch.device, run: Callable[..., Any]) -> GpuTensor:
        made: GpuTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=device,
        )
        made.numbers, made.run = numbers, run
        return made

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunctionSubclass():
            if func is torch.Tensor.__getitem__:  # torch's own needs its build for CUDA
                return _item(*args)
            if func is torch.Tensor.__setitem__:
                return _set_item(*args)
            if func is torch.Tensor.contiguous:
                return args[0] if args[0].is_contiguous() else args[0].clone(memory_format=torch.contiguous_format)
            if func in WITHOUT_BUILD:
                return WITHOUT_BUILD[func](*args)
            if func in (torch.Tensor.tolist, torch.Tensor.cpu):
                here = torch.ops.aten._to_copy.default(args[0], device="cpu")
                return here if func is torch.Tensor.cpu else here.tolist()
            return func(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        found = next(one for one in tree_flatten((args, kwargs))[0] if isinstance(one, GpuTensor))
        return found.run(func, args, kwargs or {})


class SimulatedGpus(TorchDispatchMode):
    """Runs operators on simulated GPUs with the numbers on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = GpuCounts()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.run(func, args, kwargs or {})

    def run(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
        name = func._schema.name
        asked = kwargs.get("device")
        here = _device_of(name, tensors)
        there = here if asked is None else torch.device(asked)
        if "cuda" in (here.type, there.type):
            self._count(name, here, there, bool(kwargs.get("non_blocking")), args)
        given = {**kwargs, **({} if asked is None else {"device": "cpu"}), **_not_pinned(kwargs)}
        if name == "aten::is_pinned":
            return False
        if name == "aten::_pin_memory":
            return args[0].clone()
        made = func(*tree_map(_numbers, args), **tree_map(_numbers, given))
        if func._schema.is_mutable and name not in COPIES - {"aten::copy_"}:
            return args[0] if isinstance(args[0], torch.Tensor) else made
        return tree_map(lambda one: self._placed(one, there), made)

    def _placed(self, made: Any, device: torch.device) -> Any:
        is_bare = isinstance(made, torch.Tensor) and not isinstance(made, GpuTensor)
        return GpuTensor(made, device, self.run) if is_bare and device.type == "cuda" else made

    def _count(self, name: str, here: torch.device, there: torch.device, non_blocking: bool, args: Any) -> None:
        self.counts.kernels[name] += 1
        if name == "aten::copy_":
            here, there = args[1].device, args[0].device
        if name in COPIES and here.type != there.type:
            to_gpu = there.type == "cuda"
            self.counts.to_gpu += to_gpu
            self.counts.to_cpu += not to_gpu
            self.counts.waits += not (to_gpu and non_blocking)
        self.counts.waits += name in WAITING


def _device_of(name: str, tensors: list[torch.Tensor]) -> torch.device:
    """Return the device of an operator's tensors; raise RuntimeError if they are on several."""
    relevant = [one for one in tensors if one.dim() > 0] or tensors
    devices = {one.device for one in relevant}
    if len(devices) > 1 and name not in MIXING:
        raise RuntimeError(
            f"{name}: expected all tensors to be on the same device, but found {sorted(map(str, devices))}"
        )
    if name in ("aten::copy_", "aten::index_put_", "aten::index", "aten::_index_put_impl_"):
        others = {one.device for one in tensors[1:] if one.device.type == "cuda"} - {tensors[0].device}
        if others and name != "aten::copy_":
            raise RuntimeError(f"{name}: indices should be on the CPU or on {tensors[0].device}, but found {others}")
        return tensors[0].device
    return next(iter(devices)) if devices else torch.device("cpu")


def _item(tensor: torch.Tensor, index: Any) -> torch.Tensor:
    """Return tensor[index]."""
    view, tensors = _view(tensor, index)
    return torch.ops.aten.index.Tensor(view, tensors) if tensors else view


def _set_item(tensor: torch.Tensor, index: Any, value: Any) -> None:
    """Set tensor[index] to a value."""
    view, tensors = _view(tensor, index)
    if not isinstance(value, torch.Tensor):
        value = torch.ops.aten.full_like.default(tensor.flatten()[0] if tensor.dim() else tensor, value)
    if tensors:
        torch.ops.aten.index_put_.default(view, tensors, value)
    else:
        torch.ops.aten.copy_.default(view, value)


def _view(tensor: torch.Tensor, index: Any) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    """Return the view of an index without its tensors, and the tensors by dimension of the view; [] without any."""
    items = list(index) if isinstance(index, tuple) else [index]
    tensors: list[torch.Tensor | None] = []
    dim = 0
    for place, item in enumerate(items):
        if item is None:
            tensor = tensor.unsqueeze(dim)
        elif item is Ellipsis:
            used = sum(other is not None for other in items[place + 1 :])
            dim = tensor.dim() - used
            continue
        elif isinstance(item, slice):
            tensor = torch.ops.aten.slice.Tensor(tensor, dim, item.start, item.stop, item.step or 1)
        elif isinstance(item, int):
            tensor = tensor.select(dim, item)
            continue
        else:
            tensors += [None] * (dim - len(tensors))
            tensors.append(item if isinstance(item, torch.Tensor) else torch.tensor(item))
        dim += 1
    return tensor, tensors


def _numbers(one: Any) -> Any:
    return one.numbers if isinstance(one, GpuTensor) else one


def _not_pinned(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"pin_memory": False} if kwargs.get("pin_memory") else {}


@contextmanager
def simulated_gpu() -> Iterator[GpuCounts]:
    """Simulate GPUs in this thread, and return what is counted. `cuda:0` and `cuda:1` may be used, `cuda` not."""
    only_lift = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # parameters become GpuTensors
    mode = SimulatedGpus()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.cuda, "_lazy_init", lambda: None)
            # Tensor subclasses have no views in inference mode.
            patch.setattr(torch.inference_mode, "__enter__", lambda self: None)
            patch.setattr(torch.inference_mode, "__exit__", lambda self, *error: None)
            with torch.no_grad(), mode:
                yield mode.counts
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwrite)
        torch._C._set_only_lift_cpu_tensors(only_lift)
