"""Processes that are kept running, log to a file, and never outlive this one."""
import ctypes
import os
import signal
import subprocess
import time

BACKOFF_FIRST_S, BACKOFF_LONGEST_S = 0.2, 5.0
HEALTHY_AFTER_S = 20.0  # a process that ran this long starts again without delay
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with(parent):
    """Runs in the child before exec: should this process be killed, the kernel kills the child."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Child:
    """One process. `start` and `tend` must be called from the main thread: the kernel ties a child to its thread."""

    def __init__(self, name, command, log_path):
        self.name, self.command, self.log_path = name, command, log_path
        self.process = None
        self.restarts = 0
        self._started = 0.0
        self._backoff = 0.0
        self._start_at = 0.0

    @property
    def pid(self):
        return self.process.pid if self.is_running() else None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        parent = os.getpid()
        with open(self.log_path, "ab") as log:
            # A session of its own: Ctrl-C reaches this program only, which then stops the rest in order.
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, preexec_fn=lambda: _die_with(parent))
        self._started = time.monotonic()

    def tend(self):
        """Starts a process again that has died, after a growing pause. True when it did."""
        if self.process is None or self.is_running():
            return False
        now = time.monotonic()
        if not self._start_at:
            if now - self._started > HEALTHY_AFTER_S:
                self._backoff = 0.0
            self._start_at = now + self._backoff
            self._backoff = min(max(2 * self._backoff, BACKOFF_FIRST_S), BACKOFF_LONGEST_S)
        if now < self._start_at:
            return False
        self._start_at = 0.0
        self.restarts += 1
        self.start()
        return True

    def last_words(self):
        try:
            with open(self.log_path, "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 2000))
                lines = log.read().decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        except OSError:
            return ""

    def resident_bytes(self):
        try:
            with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError, AttributeError):
            return 0


def stop_all(children, patience_s=10.0):
    """SIGTERM to all, then SIGKILL to what is left."""
    for child in children:
        if child.is_running():
            child.process.terminate()
    deadline = time.monotonic() + patience_s
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
