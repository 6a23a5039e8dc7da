"""Recurrent layers (the MPSRNN classes)."""

from __future__ import annotations

from . import _core
from ._core.rnn import *

__all__ = list(_core.rnn.__all__)
