"""The layers that score spans. Parameter names are those of the public checkpoints.

A cell (row, column) of the square of scores is the span from the word `row` to the word `column`, inclusive.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from utils.ner.config import ATTENTION_HEADS

QUERY_CHUNK = 16  # columns of a chunk, for which attention is computed at once


class MultiHeadBiaffine(nn.Module):
    """A bilinear form of a span's first and last word, computed by several heads (Yan et al., 2023).

    With size = out = 200 and 4 heads, head k multiplies features 50 k … 50 k + 49 of the first and of the last word,
    and gives the same 50 features of the result: `W` is (4, 50, 50, 50), (heads, out, first word, last word).
    """

    def __init__(self, size: int, out: int, heads: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(heads, out // heads, size // heads, size // heads))
        nn.init.xavier_normal_(self.W)

    def forward(self, head: Tensor, tail: Tensor) -> Tensor:
        """Return (batch, rows, columns, out) from heads (batch, rows, size) and tails (batch, columns, size)."""
        heads = self.W.shape[0]
        left = torch.einsum("brhx,hdxy->brhdy", head.unflatten(-1, (heads, -1)), self.W)
        # left: (batch, rows, heads, out / heads, size / heads)
        cells = torch.einsum("brhdy,bchy->brchd", left, tail.unflatten(-1, (heads, -1)))
        # cells: (batch, rows, columns, heads, out / heads)
        return cells.flatten(-2)


class LocalSpanAttention(nn.Module):
    """Multi-head attention of each cell to the cells that are at most `reach` columns away in its row."""

    def __init__(self, dim: int, reach: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(dim, ATTENTION_HEADS)  # holds the parameters; its own forward is not used
        self.reach = reach

    def forward(self, cells: Tensor, is_word: Tensor) -> Tensor:
        """Return (rows, columns, dim) from cells of this shape.

        Cells where `is_word` (rows, columns) is false are padding, to which only they themselves attend.
        """
        projected = nn.functional.linear(cells, self.attn.in_proj_weight, self.attn.in_proj_bias)
        heads = projected.unflatten(-1, (3, ATTENTION_HEADS, -1)).transpose(1, 3)  # (rows, heads, 3, columns, size)
        query, key, value = heads.unbind(2)
        if cells.device.type == "cuda":
            return self.attn.out_proj(self._attend_all(query, key, value, is_word).flatten(-2))
        mixed = [self._attend(query, key, value, is_word, start) for start in range(0, cells.shape[1], QUERY_CHUNK)]
        return self.attn.out_proj(torch.cat(mixed, dim=1).flatten(-2))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, is_word: Tensor, start: int) -> Tensor:
        """Return the attention's values (rows, queries, heads, size) for the QUERY_CHUNK columns from `start` on.

        With 40 columns, reach 3 and start 16, the queries are columns 16 … 31 and the keys are columns 13 … 34: scores
        are (rows, heads, 16, 22) instead of (rows, heads, 40, 40).

        torch's scaled_dot_product_attention was tried instead: on a CPU its backward pass is six times slower in bf16,
        and no faster in fp32.
        """
        queries = slice(start, start + QUERY_CHUNK)
        keys = slice(max(0, start - self.reach), start + QUERY_CHUNK + self.reach)
        columns = torch.arange(is_word.shape[1], device=is_word.device)
        distance = (columns[queries, None] - columns[keys]).abs()
        mask = (distance <= self.reach) & is_word[:, None, keys] | (distance == 0)  # (rows, queries, keys)
        scores = query[:, :, queries] * query.shape[-1] ** -0.5 @ key[:, :, keys].transpose(-1, -2)
        weights = scores.masked_fill_(~mask[:, None], -torch.inf).softmax(dim=-1)
        return (weights @ value[:, :, keys]).transpose(1, 2)

    def _attend_all(self, query: Tensor, key: Tensor, value: Tensor, is_word: Tensor) -> Tensor:
        """Return the attention's values (rows, columns, heads, size), for all chunks at once.

        A GPU computes this in a dozen kernels, and one chunk after the other in a dozen for each. With 40 columns and
        reach 3, the queries are padded to 48 columns, 3 chunks of 16, and the keys by 3 to the left and 11 to the
        right: chunk 1 has queries 16 … 31, and keys 13 … 34 in the original columns.
        """
        columns, width = query.shape[2], QUERY_CHUNK + 2 * self.reach
        pad = nn.functional.pad
        extra = -columns % QUERY_CHUNK
        sides = (self.reach, self.reach + extra)
        queries = pad(query, (0, 0, 0, extra)).unflatten(2, (-1, QUERY_CHUNK))  # (rows, heads, chunks, 16, size)
        keys, values = (pad(part, (0, 0, *sides)).unfold(2, width, QUERY_CHUNK) for part in (key, value))
        is_key = pad(is_word, sides).unfold(1, width, QUERY_CHUNK)  # (rows, chunks, 22); keys: (…, chunks, size, 22)
        offset = torch.arange(width, device=query.device) - self.reach  # of a key from the chunk's first column
        distance = (torch.arange(QUERY_CHUNK, device=query.device)[:, None] - offset).abs()  # (16, 22)
        mask = (distance <= self.reach) & is_key[:, :, None] | (distance == 0)  # (rows, chunks, 16, 22)
        scores = queries * queries.shape[-1] ** -0.5 @ keys
        weights = scores.masked_fill_(~mask[:, None], -torch.inf).softmax(dim=-1)
        mixed = weights @ values.transpose(-1, -2)  # (rows, heads, chunks, 16, size)
        return mixed.flatten(2, 3)[:, :, :columns].transpose(1, 2)


class LocalAttention(nn.Module):
    """KnowFREE's refinement of cells: local attention along each row, then layer normalisation."""

    rows_around = 0  # rows above and below that a row's result depends on

    def __init__(self, dim: int, reach: int) -> None:
        super().__init__()
        self.local_attention = LocalSpanAttention(dim, reach)
        self.norm = nn.LayerNorm(dim)
        self.reach = reach  # columns to the left and right that a cell's result depends on

    def forward(self, cells: Tensor, is_row: Tensor, is_column: Tensor) -> Tensor:
        """Return refined cells (batch, rows, columns, dim); `is_column` (batch, columns) is false for padding."""
        is_key = is_column[:, None].expand(cells.shape[:3]).flatten(0, 1)
        return self.norm(self.local_attention(cells.flatten(0, 1), is_key).view_as(cells))


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of an image (batch, channels, height, width)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Return (batch, channels, height, width) from this shape."""
        weight, bias = self.weight.flatten(), self.bias.flatten()
        return nn.functional.layer_norm(image.permute(0, 2, 3, 1), weight.shape, weight, bias, eps=1e-6).permute(
            0, 3, 1, 2
        )


class MaskedConv(nn.Module):
    """A convolution that keeps height and width, and reads cells of padding as zeros."""

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(channels, channels, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, image: Tensor, is_cell: Tensor) -> Tensor:
        """Return (batch, channels, rows, columns) from this shape; `is_cell` (batch, 1, rows, columns) is 0 or 1."""
        return self.conv2d(image * is_cell)


class MaskedCnn(nn.Module):
    """The CNN of CNN Nested NER over the square of all spans (Yan et al., 2023).

    Each block adds a convolution to its input and normalises the sum, with GELU between blocks. The published network
    has one more convolution, which does not contribute to its output. It is part of the checkpoints, so it is kept
    here, but not computed.
    """

    def __init__(self, channels: int, kernel_size: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [MaskedConv(channels, kernel_size), ChannelNorm(channels), nn.GELU()]
        self.cnns = nn.ModuleList([*layers, MaskedConv(channels, 3)])
        self.reach = self.rows_around = depth * (kernel_size // 2)  # 3 for three blocks with kernels of 3

    def forward(self, cells: Tensor, is_row: Tensor, is_column: Tensor) -> Tensor:
        """Return refined cells (batch, rows, columns, dim).

        `is_row` (batch, rows) and `is_column` (batch, columns) are false for padding.
        """
        is_cell = (is_row[:, None, :, None] & is_column[:, None, None, :]).to(cells.dtype)  # (batch, 1, rows, columns)
        image = residual = cells.permute(0, 3, 1, 2) * is_cell  # (batch, dim, rows, columns)
        for convolve, normalise, activate in zip(self.cnns[:-1:3], self.cnns[1::3], self.cnns[2::3], strict=True):
            residual = normalise(convolve(image, is_cell) + residual)
            image = activate(residual)
        return residual.permute(0, 2, 3, 1)
