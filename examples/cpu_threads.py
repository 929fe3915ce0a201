"""How many threads a CPU gets, and how they wait for each other. Imported before torch, which looks at it once.

Threads that wait for each other in a loop lose their turn on a busy machine, and each operation then takes as long as
somebody else's turn: two threads beside three other programs were 10 to 27 times as slow. Threads that sleep are woken
at once.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def cores_of_a_process(processes: int) -> int:
    """Threads for each of so many processes; a launcher gives each one, however many cores there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // processes)
