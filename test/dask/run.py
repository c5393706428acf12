#!/usr/bin/env python3
"""Indexes kernels by Dask, two workers on loopback, and kills one in the middle: the dataset has to be whole, and equal to the one made alone.

    npm run build && python3 test/dask/run.py KERNEL…

Needs Dask's scheduler (Debian: python3-distributed); without it, a line says so, and nothing is tested. Exit 0: equal, or skipped.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    from dask.distributed import Client, LocalCluster
except ImportError:
    print("dask: skipped: python3-distributed is not installed")
    sys.exit(0)

KELF = ["node", str(Path(__file__).resolve().parents[2] / "dist/cli/kelf.cjs")]


def index(path, out):
    return subprocess.run([*KELF, "index", path, "--out", out], capture_output=True, text=True).returncode


def files(folder):
    """The bytes of all files of a dataset, but what is in the making."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] != ".unfinished":
            found[str(name)] = path.read_bytes()
    return found


def main(kernels):
    with tempfile.TemporaryDirectory(prefix="kelf-dask-") as folder:
        alone, shared = f"{folder}/alone", f"{folder}/shared"
        subprocess.run([*KELF, "index", *kernels, "--out", alone], check=True, stdout=subprocess.DEVNULL)
        with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster, Client(cluster) as client:
            tasks = client.map(index, kernels, out=shared, pure=False)
            # Some sets are there, and others are being made.
            while not list(Path(shared).glob("*/kernels.parquet")):
                time.sleep(0.05)
            killed = next(iter(cluster.workers.values())).pid
            os.kill(killed, signal.SIGKILL)
            sets = len(list(Path(shared).glob("*/kernels.parquet")))
            codes = client.gather(tasks)
        if any(codes):
            print(f"dask: failed: exit codes {codes}")
            return 1
        one, other = files(alone), files(shared)
        if one != other:
            print(f"dask: failed: {sorted(set(one) ^ set(other)) or 'files differ'}")
            return 1
        print(f"dask: {len(kernels)} kernels by two workers, one (process {killed}) killed after {sets}: {len(one)} files, as those made alone")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else "usage: run.py KERNEL…")
