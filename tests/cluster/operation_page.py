"""Runs a page of docs/operations: its ```sh blocks are one bash script, from the first to the last.

What a page may use: `quorate`, what is in tools/ and what tools/packages.txt installs (dig, etcdctl; neither curl nor jq), and files in the
directory it starts in, which is empty. What it writes as 127.0.0.N is 127.BASE.1.N here, a network that no other test uses,
so it may name any ports (best in variables that its first block sets). It starts its own replicas, with `&` at the end;
whatever still runs when it is over is ended. A block that is not to be run is ```text or ```console.
"""
import os
import re
import signal
import subprocess

import local_net  # found by way of harness
from harness import BUILD_DIR, ROOT

PAGES = ROOT / "docs/operations"
INSTANCES = 9  # addresses that a page may use
_FENCE = re.compile(r"^```(\w*)\s*$")
_LOOPBACK = re.compile(r"\b127\.0\.0\.(\d+)")


def script_of(text):
    """The page with all that is not shell left out; every line keeps its number, so that bash names the page's lines."""
    lines, language = [], None
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence and language is None:
            language = fence[1] or "text"
            lines.append("")
        elif fence:
            language = None
            lines.append("")
        else:
            lines.append(line if language == "sh" else "")
    assert language is None, "the page has a block without an end"
    script = "\n".join(lines) + "\n"
    assert script.strip(), "the page has no ```sh block"
    return script


def run_page(name, directory, timeout_s=120.0, env=None):
    """Runs docs/operations/NAME in `directory`; fails with the trace of its commands, each with its line of the page."""
    base, reservation = local_net.choose_base(["page"], INSTANCES)
    script = _LOOPBACK.sub(rf"127.{base}.1.\1", script_of((PAGES / name).read_text()))
    path = directory / f"{name}.sh"
    assert not script.splitlines()[0], "the first line of a page is its title"
    path.write_text(f"PS4='+ {name}:$LINENO: '" + script)  # root's bash takes no PS4 from its environment
    work, log = directory / "work", directory / f"{name}.log"
    work.mkdir()
    environment = {**os.environ, "PATH": f"{BUILD_DIR}:{ROOT / 'tools'}:{os.environ['PATH']}", "LC_ALL": "C",
                   "no_proxy": "*", "NO_PROXY": "*", **(env or {})}
    for variable in ("QUORATE_SERVER", "QUORATE_ORACLE", "QUORATE_TOKEN"):
        if variable not in (env or {}):
            environment.pop(variable, None)
    with open(log, "wb") as out:
        process = subprocess.Popen(["bash", "-euxo", "pipefail", str(path)], cwd=work, env=environment,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end_session(process)
        reservation.close()
    said = log.read_text(errors="replace")
    assert code is not None, f"{name} did not end within {timeout_s} s:\n{said[-6000:]}"
    assert code == 0, f"{name} ended with {code}:\n{said[-6000:]}"
    return said


def _end_session(process):
    """The page's own replicas share its process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
