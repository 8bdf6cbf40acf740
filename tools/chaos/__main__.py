"""Hurts groups of real processes for some minutes and judges what their clients saw."""
import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/cluster")]
from disk_faults import LIBRARY  # noqa: E402
from harness import QUORATE  # noqa: E402
from load import LINCHECK  # noqa: E402

from . import faults  # noqa: E402
from .network import CannotRun, Loopback, Namespaces, enter_private_network, why_no_namespaces  # noqa: E402
from .run import Run  # noqa: E402
from .world import Violation  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, required=True, metavar="M", help="how long, beside starting and ending")
    parser.add_argument("--replicas", type=int, choices=(3, 5), help="of the group; else 3 for half of the time, then 5")
    parser.add_argument("--seed", type=int, metavar="N", help="repeats the choices of a run, though not its timing")
    parser.add_argument("--dir", metavar="DIR", help="keep data, logs and histories here (a new or empty directory)")
    parser.add_argument("--only", metavar="KIND[,KIND...]", help=f"of the kinds of fault: {', '.join(faults.KINDS)}")
    parser.add_argument("--network", choices=("auto", "namespaces", "loopback"), default="auto",
                        help="namespaces needs root; auto takes them where it can")
    return parser.parse_args()


def choose_network(wanted):
    why_not = None if wanted == "loopback" else why_no_namespaces()
    if wanted == "namespaces" and why_not:
        raise CannotRun(f"network namespaces do not work here: {why_not}: be root, or use --network loopback")
    if wanted == "loopback" or why_not:
        return Loopback
    enter_private_network()
    return Namespaces


def choose_kinds(only):
    kinds = only.split(",") if only else [kind for kind in faults.KINDS if LIBRARY.exists() or
                                          kind not in faults.NEED_DISK_FAULTS]
    unknown = [kind for kind in kinds if kind not in faults.KINDS]
    if unknown:
        raise CannotRun(f"--only: there is no kind `{unknown[0]}`; there are {', '.join(faults.KINDS)}")
    if not LIBRARY.exists() and faults.NEED_DISK_FAULTS & set(kinds):
        raise CannotRun(f"there is no {LIBRARY}: run ./dev build")
    return kinds


def interrupted(number, _frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    arguments = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    directory = Path(arguments.dir or tempfile.mkdtemp(prefix="quorate-chaos-")).resolve()
    started = time.monotonic()
    keep = bool(arguments.dir)

    def say(text):
        print(f"{time.monotonic() - started:7.1f} s  {text}", flush=True)

    try:
        for program in (QUORATE, LINCHECK):
            if not program.exists():
                raise CannotRun(f"there is no {program}: run ./dev build")
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise CannotRun(f"{directory} is not empty: give a new --dir")
        seed = arguments.seed if arguments.seed is not None else random.randrange(2**32)
        run = Run(directory, choose_network(arguments.network), seed, choose_kinds(arguments.only), say)
        sizes = [arguments.replicas] if arguments.replicas else [3, 5]
        for size in sizes:
            run.group(size, arguments.minutes * 60 / len(sizes))
        say(f"clean: {run.phases} phases, seed {seed}")
        return 0
    except Violation as broken:
        keep = True
        say(f"VIOLATION: {broken}\neverything is kept in {directory}")
        return 1
    except CannotRun as why:
        print(f"./dev chaos: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as why:
        say(f"ended by {why or 'Ctrl-C'}")
        return 130
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
