"""Certificates by DNS challenge (RFC 8555 8.4): certbot and lego change our zone by signed UPDATE (RFC 2136), and pebble,
an ACME server for tests, looks at one of our replicas."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "cluster")]
from harness import Group, http, wait_until  # noqa: E402
from peers import take_port  # noqa: E402
from signed import make_key  # noqa: E402
from supervisor import Child, stop_all  # noqa: E402

DOMAIN = "example.org"


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    group = Group(tmp_path_factory.mktemp("group"))
    try:
        group.start()
        yield group
    finally:
        group.stop()


@pytest.fixture(scope="module")
def key(group):
    return make_key(group.leader(), "acme.", grants=[f"subtree _acme-challenge.{DOMAIN}. TXT",
                                                     f"subtree _acme-challenge.www.{DOMAIN}. TXT"])


class Pebble:
    def __init__(self, directory, dns_server):
        directory.mkdir(parents=True, exist_ok=True)
        self.port, management, challenges, tls = (take_port() for _ in range(4))
        self.certificate = directory / "cert.pem"
        private = directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", private, "-out",
                        self.certificate], check=True, capture_output=True)
        config = directory / "pebble.json"
        config.write_text(f"""{{"pebble": {{"listenAddress": "127.0.0.1:{self.port}",
            "managementListenAddress": "127.0.0.1:{management}", "certificate": "{self.certificate}",
            "privateKey": "{private}", "httpPort": {challenges}, "tlsPort": {tls}, "ocspResponderURL": ""}}}}""")
        # Nothing is left to chance: no pauses, no nonces refused for exercise.
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        command = ["env", *(f"{name}={environment[name]}" for name in ("PEBBLE_VA_NOSLEEP", "PEBBLE_WFE_NONCEREJECT")),
                   "pebble", "-config", str(config), "-dnsserver", dns_server]
        self.child = Child("pebble", command, directory / "pebble.log")

    @property
    def directory_url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def __enter__(self):
        self.child.start()
        wait_until(lambda: http("GET", self.directory_url, verify=str(self.certificate)) or self._complain(),
                   "pebble listens", 60)
        return self

    def _complain(self):
        assert self.child.is_running(), self.child.last_words()

    def __exit__(self, *_):
        stop_all([self.child])


@pytest.fixture(scope="module")
def pebble(group, tmp_path_factory):
    with Pebble(tmp_path_factory.mktemp("pebble"), group.followers()[0].dns) as server:
        yield server


def run(*command, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=240, check=False,
                          env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", **environment})
    assert done.returncode == 0, done.stdout + done.stderr


def certified_names(path):
    shown = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-ext", "subjectAltName"], capture_output=True,
                           text=True, check=True).stdout
    return {word.strip() for word in shown.splitlines()[-1].split(",")}


def test_certbot_gets_a_certificate_by_a_follower(group, key, pebble, tmp_path):
    replica = group.followers()[-1]
    credentials = tmp_path / "rfc2136.ini"
    credentials.write_text(f"dns_rfc2136_server = {replica.ip}\ndns_rfc2136_port = {replica.ports['dns']}\n"
                           f"dns_rfc2136_name = {key.name}\ndns_rfc2136_secret = {key.secret}\n"
                           "dns_rfc2136_algorithm = HMAC-SHA256\n")
    credentials.chmod(0o600)
    run("certbot", "certonly", "--non-interactive", "--agree-tos", "--email", "admin@example.org", "--server",
        pebble.directory_url, "--no-verify-ssl", "--config-dir", tmp_path / "config", "--work-dir", tmp_path / "work",
        "--logs-dir", tmp_path / "logs", "--dns-rfc2136", "--dns-rfc2136-credentials", credentials,
        "--dns-rfc2136-propagation-seconds", "1", "-d", DOMAIN, "-d", f"www.{DOMAIN}")
    live = tmp_path / "config/live" / DOMAIN / "cert.pem"
    assert certified_names(live) == {f"DNS:{DOMAIN}", f"DNS:www.{DOMAIN}"}
    assert all(r.answers(f"_acme-challenge.{DOMAIN}.", "TXT") == set() for r in group.replicas)  # it cleaned up


def test_lego_gets_a_certificate_by_the_leader(group, key, pebble, tmp_path):
    replica = group.leader()
    run("lego", "--server", pebble.directory_url, "--accept-tos", "--email", "admin@example.org", "--domains", DOMAIN,
        "--dns", "rfc2136", "--dns.resolvers", replica.dns, "--dns.disable-cp", "--path", tmp_path / "lego", "run",
        LEGO_CA_CERTIFICATES=str(pebble.certificate), RFC2136_NAMESERVER=replica.dns, RFC2136_TSIG_KEY=key.name,
        RFC2136_TSIG_SECRET=key.secret, RFC2136_TSIG_ALGORITHM="hmac-sha256.", RFC2136_POLLING_INTERVAL="1",
        RFC2136_PROPAGATION_TIMEOUT="60")
    assert certified_names(tmp_path / "lego/certificates" / f"{DOMAIN}.crt") == {f"DNS:{DOMAIN}"}
