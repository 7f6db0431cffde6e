"""Run a command and print what it spent: `python -I -S spend.py COMMAND…`.

A process of its own, and small: Linux counts the memory of the process that starts another into the other's peak.
"""

import json
import os
import sys
import time


def main() -> None:
    began = time.perf_counter()
    process_id = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
    _, status, usage = os.wait4(process_id, 0)  # its own children included
    spent = {
        "exit_code": os.waitstatus_to_exitcode(status),
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "wall_seconds": time.perf_counter() - began,
        "peak_rss_bytes": usage.ru_maxrss * 1024,
    }
    print(f"\n{json.dumps(spent)}")


if __name__ == "__main__":
    main()
