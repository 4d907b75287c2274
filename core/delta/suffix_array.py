"""The suffix array of an image (reference of ``kernel/suffix_array.c``)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fotabuild.delta.deadline import NO_DEADLINE, Deadline


def suffix_array(text: bytes, deadline: Deadline = NO_DEADLINE) -> list[int]:
    """Return the starts of all suffixes of ``text``, in the order of the suffixes.

    Prefixes of doubling length are sorted, so that repetitive images are no worse than others.
    """
    size = len(text)
    ranks = list(text)
    order = sorted(range(size), key=ranks.__getitem__)
    length = 1
    while True:
        deadline.check()
        # Behind the end of the text comes a symbol smaller than all.
        behind = [rank + 1 for rank in ranks[length:]] + [0] * min(length, size)
        top = max(behind, default=0) + 1
        keys = [rank * top + next_rank for rank, next_rank in zip(ranks, behind, strict=True)]
        order.sort(key=keys.__getitem__)
        rank = -1
        last = -1
        for start in order:
            if keys[start] != last:
                rank += 1
                last = keys[start]
            ranks[start] = rank
        if rank == size - 1:
            return order
        length *= 2


def is_suffix_array(text: bytes, numbers: Sequence[int]) -> bool:
    """Whether numbers from elsewhere are the starts of all suffixes of a text, in their order.

    Two suffixes that begin with the same byte have the order of those behind it: with that from
    each to the next, the order is right, and none can stand there twice.
    """
    size = len(text)
    if len(numbers) != size or not all(0 <= start < size for start in numbers):
        return False
    ranks = [-1] * (size + 1)  # Behind the end of the text comes what is smaller than all.
    for rank, start in enumerate(numbers):
        ranks[start] = rank
    return all(
        (text[one], ranks[one + 1]) < (text[two], ranks[two + 1]) for one, two in pairwise(numbers)
    )
