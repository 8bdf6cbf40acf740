"""`./dev chaos`, briefly: it must come out clean; and what it leaves behind when it is interrupted."""
import os
import signal
import subprocess
import sys

from harness import BUILD_DIR, ROOT, wait_until

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


def replicas_of(directory):
    """The pids of `quorate serve` processes with their data there."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if "serve" in words and any(word.startswith(str(directory)) for word in words):
                found.append(int(entry))
    return found


def test_three_replicas_hurt_in_every_way_keep_every_promise(tmp_path):
    log = tmp_path / "chaos.log"
    code = finish(chaos(log, "--minutes", MINUTES, "--replicas", 3, "--seed", SEED, "--dir", tmp_path / "run"),
                  float(MINUTES) * 60 + 400)
    print(log.read_text())
    assert code == 0, log.read_text()


def test_an_interrupted_run_leaves_no_process_behind(tmp_path):
    log, directory = tmp_path / "chaos.log", tmp_path / "run"
    process = chaos(log, "--minutes", 5, "--replicas", 3, "--network", "loopback", "--only", "SIGSTOP", "--dir", directory)
    try:
        wait_until(lambda: len(replicas_of(directory)) == 3 or process.poll() is not None, "it has started", 60)
        assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
    finally:
        code = finish(process, 60)
    assert code == 130, log.read_text()
    wait_until(lambda: not replicas_of(directory), "its replicas are gone", 20)
