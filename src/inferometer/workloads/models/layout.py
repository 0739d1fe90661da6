"""Layout: a module for photos with the channels first takes them with the channels last."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = ["ChannelsLast"]


class ChannelsLast(nn.Module):
    """Takes ``[N, H, W, C]`` and gives what ``model`` gives for the same as ``[N, C, H, W]``."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, photos: torch.Tensor) -> Any:
        """Give the outputs."""
        return self.model(photos.permute(0, 3, 1, 2))
