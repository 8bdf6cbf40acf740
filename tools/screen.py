"""What `./dev up` shows: one screen that is redrawn on a terminal, or a line per change elsewhere."""
import sys
import time

MARKS = {"leader": "\033[32m*\033[0m", "ready": "\033[32m+\033[0m", "starting": "\033[33m.\033[0m",
         "down": "\033[31mx\033[0m"}


class Screen:
    def __init__(self, deployment, out=sys.stdout):
        self._deployment = deployment
        self._out = out
        self._live = out.isatty()
        self._last_line = None
        self._lines_drawn = 0

    def draw(self):
        if self._live:
            self._redraw()
        else:
            self._line_on_change()

    def _redraw(self):
        lines = self._render()
        back = f"\033[{self._lines_drawn}F" if self._lines_drawn else ""
        # Without automatic wrapping, so that a narrow terminal cuts a line instead of shifting the rest.
        self._out.write("\033[?7l" + back + "".join(f"\033[K{line}\n" for line in lines) + "\033[J\033[?7h")
        self._out.flush()
        self._lines_drawn = len(lines)

    def _render(self):
        d = self._deployment
        lines = ["", f"{time.strftime('%H:%M:%S')}  {summary(d)}   (* leader, + ready, . starting, x down)"]
        for region in d.regions():
            lines.append(f"  {region['name']}")
            for group in region["groups"]:
                row = "  ".join(self._cell(r) for r in group["replicas"])
                lines.append(f"    {group['name'][:20]:<20} {row}")
        for child in d.children():
            if not child.is_running() and child.last_words():
                lines.append(f"  {child.name}: {child.last_words()[:100]}")
        lines.append("  Ctrl-C stops all of it.")
        return lines

    def _cell(self, replica):
        child = self._deployment.child_of(replica["inst_id"])
        restarts = f" restarted {child.restarts}x" if child.restarts else ""
        return f"{MARKS[self._deployment.state_of(replica['inst_id'])]} {replica['dns']}{restarts}"

    def _line_on_change(self):
        d = self._deployment
        line = summary(d, with_memory=False)
        restarts = sum(child.restarts for child in d.children())
        if restarts:
            line += f", {restarts} restarts"
        if line != self._last_line:
            print(f"{time.strftime('%H:%M:%S')} {line}", file=self._out, flush=True)
            self._last_line = line


def summary(deployment, with_memory=True):
    states = [deployment.state_of(r["inst_id"]) for region in deployment.regions() for g in region["groups"]
              for r in g["replicas"]]
    leaders = states.count("leader")
    text = f"{leaders + states.count('ready')} of {len(states)} replicas ready, {leaders} leaders"
    if with_memory:
        text += f", {deployment.resident_mib()} MiB resident"
    return text
