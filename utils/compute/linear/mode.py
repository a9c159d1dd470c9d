"""A context that computes linear layers in another way than torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import linear
from torch.overrides import TorchFunctionMode


class LinearMode(TorchFunctionMode):
    """A context in which `product` computes the linear layers that it supports; all other calls are left to torch."""

    @abstractmethod
    def supports(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        """Return whether `product` computes a layer; its arguments are those of torch.nn.functional.linear."""

    @abstractmethod
    def product(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return rows @ weight.T + bias."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is linear and not kwargs:
            rows, weight, bias = (*args, None)[:3]
            if self.supports(rows, weight, bias):
                return self.product(rows, weight, bias)
        return func(*args, **(kwargs or {}))
