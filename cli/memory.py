"""How little memory a process of the desk keeps: told to the allocator before there are threads."""

import ctypes
import sys

_M_ARENA_MAX = -8
"""mallopt(3), the parameter that MALLOC_ARENA_MAX sets from outside."""
ARENAS = 2


def few_arenas() -> None:
    """Lets all threads share two heaps, where glibc would make eight a core and fill each a little.

    The desk has a hundred threads, which take turns at Python anyway: measured on a desk of 78 threads, 20 MB less.
    Elsewhere than on glibc nothing happens.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, ARENAS)
