"""The processes of one example deployment and what is known of them."""
import concurrent.futures
import http.client
import json
import os
import time
import urllib.error
import urllib.request

import local_net
from supervisor import Child, stop_all

REQUEST_TIMEOUT_S = 2.0
# No proxy of the environment stands between processes of one machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class StartFailed(Exception):
    """The deployment cannot start; the text says why and what to do."""


def request(url, body=None):
    """(status, text); (0, reason) when nothing answers."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with _opener.open(urllib.request.Request(url, data), timeout=REQUEST_TIMEOUT_S) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)


class Deployment:
    def __init__(self, quorate, directory, base, regions, replicas, groups):
        self.oracle_url = f"http://{local_net.oracle_ip(base)}:{local_net.ORACLE_PORT}"
        self._directory = directory
        self._region_names, self._replicas, self._groups = regions, replicas, groups
        self._places = local_net.places(base, regions, groups * replicas)
        (directory / "logs").mkdir(exist_ok=True)
        self._oracle = self._child("oracle", [quorate, "oracle", "--listen", self.oracle_url[len("http://"):],
                                              "--data", directory / "oracle"])
        self._by_instance = {place.inst_id: self._replica(quorate, place) for place in self._places}
        self._states = {place.inst_id: "starting" for place in self._places}
        self._regions = []  # as the Oracle's GET /status has them
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=8)

    def _child(self, name, command):
        return Child(name, [str(word) for word in command], self._directory / "logs" / f"{name}.log")

    def _replica(self, quorate, place):
        command = [quorate, "serve", "--data", self._directory / "replicas" / place.inst_id, "--oracle",
                   self.oracle_url, "--region", place.region, "--inst-id", place.inst_id]
        for door in local_net.PORTS:
            command += [f"--listen-{door}", place.address(door)]
        return self._child(place.inst_id, command)

    def children(self):
        return [self._oracle, *self._by_instance.values()]

    def child_of(self, inst_id):
        return self._by_instance[inst_id]

    def state_of(self, inst_id):
        return self._states[inst_id]

    def regions(self):
        return self._regions

    def resident_mib(self):
        return sum(child.resident_bytes() for child in self.children()) // 2**20

    def start(self, progress, deadline):
        """Blocks until every replica answers; StartFailed at `deadline` or when the Oracle refuses."""
        progress(f"starting the Oracle at {self.oracle_url}")
        self._oracle.start()
        self._wait(lambda: request(self.oracle_url + "/status")[0] == 200, deadline, "the Oracle to answer")
        self._init()
        progress(f"starting {len(self._places)} replicas in {len(self._region_names)} regions")
        (self._directory / "replicas").mkdir(exist_ok=True)
        for place in self._places:
            self._by_instance[place.inst_id].start()
            # One after the other, so that the places are those of the address plan.
            self._wait(lambda: place.inst_id in self._registered(), deadline, f"{place.inst_id} to register")
        progress("waiting until every replica has a leader and answers")
        self._wait(self._all_ready, deadline, "every replica to be ready")

    def stop(self):
        stop_all(self.children())
        self._pool.shutdown(wait=False, cancel_futures=True)

    def tend(self):
        """Starts again what has died, and writes its new pid down."""
        if any([child.tend() for child in self.children()]):
            self._write_endpoints()

    def observe(self):
        self._states = dict(zip(self._states, self._pool.map(self._observe_one, self._places)))

    def _observe_one(self, place):
        if not self._by_instance[place.inst_id].is_running():
            return "down"
        url = "http://" + place.address("http")
        if request(url + "/readyz")[0] != 200:
            return "starting"
        return "leader" if request(url + "/health/leader")[0] == 200 else "ready"

    def _init(self):
        status, reply = request(self.oracle_url + "/init", {
            "n_regions": str(len(self._region_names)),
            "region_names": self._region_names,
            "instances_per_region": str(self._groups * self._replicas),
            "replicas_per_ns": str(self._replicas),
        })
        if status != 200:
            raise StartFailed(f"the Oracle refused to form the deployment: {reply.strip()}")

    def _registered(self):
        """Whom the Oracle knows; keeps its list of regions."""
        status, reply = request(self.oracle_url + "/status")
        if status == 200:
            self._regions = json.loads(reply)["regions"]
        return {r["inst_id"] for region in self._regions for group in region["groups"] for r in group["replicas"]}

    def _all_ready(self):
        self._registered()
        self._write_endpoints()
        self.observe()
        return all(state in ("ready", "leader") for state in self._states.values())

    def _wait(self, condition, deadline, what):
        while not condition():
            if time.monotonic() > deadline:
                raise StartFailed(f"gave up waiting for {what}\n{self._complaints()}")
            self.tend()
            time.sleep(0.05)

    def _complaints(self):
        silent = [child for child in self.children() if not child.is_running() or child.restarts
                  or self._states.get(child.name) == "starting"]
        return "\n".join(f"  {child.name}: {child.last_words() or 'says nothing'}" for child in silent
                         if child.process is not None)

    def _write_endpoints(self):
        regions = [{"name": region["name"], "groups": [
            {"name": group["name"], "zones": group["zones"], "replicas": [self._endpoint(r) for r in group["replicas"]]}
            for group in region["groups"]]} for region in self._regions]
        path = self._directory / "endpoints.json"
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps({"oracle": self.oracle_url, "regions": regions}, indent=1) + "\n")
        os.replace(beside, path)

    def _endpoint(self, replica):
        return {"id": replica["id"], "dns": replica["dns"], "http": "http://" + replica["http"],
                "etcd": replica["etcd"], "pid": self._by_instance[replica["inst_id"]].pid}
