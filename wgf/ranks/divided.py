"""An array of which each rank holds a share, and the whole one made of the shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wgf.ranks.communicator import Ranks


@dataclass(frozen=True, eq=False)
class Divided:
    """The share of an array that a rank holds.

    shape     of the whole array
    place     the share's indices in it, a slice for each of its axes; the shares of all ranks fill it, without overlap
    values    the share
    """

    shape: tuple[int, ...]
    place: tuple[slice, ...]
    values: np.ndarray


def gathered(divided: Divided, ranks: Ranks) -> np.ndarray | None:
    """The whole array on the first rank, None on the others; shares travel one by one, so that no rank holds two wholes."""
    if ranks.communicator is None:
        return divided.values
    mine = np.ascontiguousarray(divided.values)
    places = ranks.gather(divided.place)
    if not ranks.first:
        ranks.communicator.Send(mine, dest=0)
        return None
    whole = np.empty(divided.shape, mine.dtype)
    whole[divided.place] = mine
    for rank in range(1, ranks.size):
        share = np.empty(whole[places[rank]].shape, mine.dtype)
        ranks.communicator.Recv(share, source=rank)
        whole[places[rank]] = share
    return whole


def spread(whole: np.ndarray | None, shape: tuple[int, ...], ranks: Ranks) -> np.ndarray:
    """The first rank's array, on all."""
    result = np.empty(shape) if whole is None else np.ascontiguousarray(whole, dtype=float)
    if ranks.communicator is not None:
        ranks.communicator.Bcast(result, root=0)
    return result
