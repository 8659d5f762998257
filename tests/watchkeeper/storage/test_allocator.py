"""Memory that was freed goes back to the system, and threads share it."""

from __future__ import annotations

import subprocess
import sys

GIVES_BACK = """
from pathlib import Path
from watchkeeper.storage import allocator

def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

pieces = [b"x" * 100_000 for _ in range(1000)]
before = resident()
kept = pieces[::100]
del pieces
allocator.give_back()
print(before - resident())
"""

SHARES_ARENAS = """
import ctypes, threading
from watchkeeper.storage import allocator

allocator.share_arenas()
kept, together = [], threading.Barrier(6)

def take() -> None:
    kept.append(ctypes.create_string_buffer(50_000))
    together.wait()

threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


def test_freed_memory_goes_back_though_some_above_it_is_in_use():
    ran = subprocess.run([sys.executable, "-c", GIVES_BACK], capture_output=True, check=True)
    assert int(ran.stdout) > 80_000_000


def test_many_threads_share_two_arenas():
    ran = subprocess.run([sys.executable, "-c", SHARES_ARENAS], capture_output=True, check=True)
    assert ran.stderr.count(b"Arena ") == 2
