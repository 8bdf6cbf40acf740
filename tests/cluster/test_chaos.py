"""`./dev chaos`, briefly: it must come out clean, and would not if a promise were broken; what an interrupted run leaves."""
import os
import shutil
import signal
import subprocess
import sys

import pytest

from harness import BUILD_DIR, ROOT, wait_until
from chaos import faults
from chaos.network import Loopback
from chaos.run import Run
from chaos.world import Violation

MINUTES = os.environ.get("QUORATE_CHAOS_MINUTES", "1.5")
SEED = "11"
COMMAND = [sys.executable, "-u", "-m", "chaos"]
ENV = {**os.environ, "PYTHONPATH": str(ROOT / "tools"), "QUORATE_BUILD_DIR": str(BUILD_DIR)}


def chaos(log, *arguments):
    with open(log, "wb") as out:
        return subprocess.Popen([*COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                env=ENV, start_new_session=True)


def finish(process, timeout_s):
    try:
        return process.wait(timeout_s)
    finally:
        if process.poll() is None:
            process.kill()  # the kernel ends its children with it
            process.wait()


def processes_of(directory):
    """The names of the programs that run on files there."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(word.startswith(f"{directory}/") for word in words):
            found.append(os.path.basename(words[0]))
    return found


def test_three_replicas_hurt_in_every_way_keep_every_promise(tmp_path):
    log = tmp_path / "chaos.log"
    code = finish(chaos(log, "--minutes", MINUTES, "--replicas", 3, "--seed", SEED, "--dir", tmp_path / "run"),
                  float(MINUTES) * 60 + 900)
    print(log.read_text())
    assert code == 0, log.read_text()


def test_an_interrupted_run_leaves_no_process_behind(tmp_path):
    log, directory = tmp_path / "chaos.log", tmp_path / "run"
    process = chaos(log, "--minutes", 5, "--replicas", 3, "--network", "loopback", "--only", "SIGSTOP", "--dir", directory)
    try:
        wait_until(lambda: processes_of(directory).count("quorate") == 3 or process.poll() is not None, "it has started", 60)
        assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
    finally:
        code = finish(process, 60)
    assert code == 130, log.read_text()
    wait_until(lambda: not processes_of(directory), "its processes are gone", 20)


def applied(world):
    return max((r.group_status() or {"applied": 0})["applied"] for r in world.replicas)


def roll_back(world, _rng):
    """What no disk does: the whole group forgets what it has acknowledged lately."""
    world.kill(list(world.replicas))
    for replica in world.replicas:
        shutil.copytree(replica.data, replica.data.with_suffix(".copy"))
    world.start_again(list(world.replicas))
    for replica in world.replicas:
        world.wait_ready(replica)
    before = applied(world)
    wait_until(lambda: applied(world) > before + 100, "clients have written", 60)
    world.kill(list(world.replicas))
    for replica in world.replicas:
        shutil.rmtree(replica.data)
        replica.data.with_suffix(".copy").rename(replica.data)
    world.start_again(list(world.replicas))


def test_a_group_that_forgets_what_it_acknowledged_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setitem(faults.KINDS, "roll back", roll_back)
    said = []
    with pytest.raises(Violation, match="(?s)seed 5, 3 replicas, phase 1 .roll back.: .*(not linearizable|lost)"):
        Run(tmp_path, Loopback, 5, ["roll back"], said.append).group(3, 1)
    assert list(tmp_path.glob("history-1.jsonl")), "the history is kept"
    assert not processes_of(tmp_path)
