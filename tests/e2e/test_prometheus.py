# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes two daemons, with a token, and evaluates the alert rules and every query of the
dashboard: what does not match shows only when there is something to match."""

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from promtool import program
from support import BUILD, job, wait_until
from test_alerts import RULES, alerts, expressions

# What nothing in this set-up brings about; the labels are those of whatever the service did.
SILENT = {
    "Bytes captured B",
    "Captures by result B",
    "Captures by result D",
    "Credentials and last upload A",
    "Inspections that failed A",
    "Inspections that failed B",
    "Labels by job, last hour A",
    "Oldest of them A",
    "Age of the backlog A",
    "Deleted A",
    "Deleted B",
    "Reloads, and notifications of alerts that were refused A",
    "Reloads, and notifications of alerts that were refused B",
    "Suspended, and by what A",
    "Targets that fail B",
    "What labels rest on A",
    "Rules that fire A",
    "Rules that fire B",
    "Polls by result A",
    "Rules that see nothing A",
    "Rules that see nothing C",
    "Restarts",
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Prometheus:
    def __init__(self, directory, targets, token):
        self.url = f"http://127.0.0.1:{free_port()}"
        directory.mkdir()
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {
                    "job_name": "contrace",
                    "authorization": {"credentials_file": str(token)},
                    "static_configs": [{"targets": targets}],
                }
            ],
        }
        (directory / "prometheus.yaml").write_text(json.dumps(config))
        self.log = open(directory / "log", "wb")
        self.process = subprocess.Popen(
            [program("prometheus"), f"--config.file={directory}/prometheus.yaml",
             f"--storage.tsdb.path={directory}/data", f"--web.listen-address={self.url[7:]}"],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def ask(self, path, **parameters):
        """The data of an answer; None while it cannot be asked."""
        assert self.process.poll() is None, "Prometheus ended"
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as e:
            if e.code == 503:  # it starts
                return None
            pytest.fail(f"{parameters}: {e.read().decode()}")
        except OSError:
            return None

    def query(self, expr):
        data = self.ask("query", query=expr)
        return data and data["result"]


@pytest.fixture
def prometheus(daemon, goservice, tmp_path):
    """Over a daemon that uploads and one that does not, after a trace of each and a failed capture."""
    token = tmp_path / "token"
    token.write_text("correct horse battery staple\n")
    token.chmod(0o600)
    (tmp_path / "store").mkdir()
    service, addresses, daemons = goservice(), [], []
    for name, upload in (("a", {"url": f"file://{tmp_path}/store"}), ("b", None)):
        addresses.append(f"127.0.0.1:{free_port()}")
        d = daemon(
            [job("web", service.address), job("db", "unix:@nobody-listens-here")],
            directory=tmp_path / name,
            storage={"min_free": 0.01, "max_age": "300d"},
            upload=upload,
            inspect={"enabled": True, "command": str(BUILD / "contrace")},
            web={"listen_address": addresses[-1], "bearer_token_file": str(token)},
        )
        daemons.append(d)
    server = Prometheus(tmp_path / "prometheus", addresses, token)
    yield server, daemons
    server.close()


def test_prometheus_understands_everything(prometheus):
    server, daemons = prometheus
    wait_until("both are up", lambda: len(server.query("up == 1") or []) == 2, interval=0.2)
    # Not exported_job: its own label of that name stays what it is.
    labels = [s["metric"] for s in server.query("contrace_targets")]
    assert {frozenset(m) for m in labels} == {
        frozenset(["__name__", "instance", "job", "scrape_job"])
    }
    for d in daemons:  # so that there is a rise between two scrapes
        d.process.send_signal(signal.SIGUSR1)
    wait_until(
        "all is counted",
        lambda: (
            len(server.query('increase(contrace_inspections_total{result="ok"}[5m]) > 0')) == 2
            and server.query('increase(contrace_uploads_total{result="done"}[5m]) > 0')
        ),
        interval=0.2,
    )
    time.sleep(2)  # one more scrape of everything
    empty = {place for place, expr in expressions().items() if not server.query(expr)}
    assert empty <= SILENT

    data = server.ask("rules")
    rules = [rule for group in data["groups"] for rule in group["rules"]]
    assert {r["name"] for r in rules if r["type"] == "alerting"} == set(alerts())
    assert [r["name"] for r in rules if r["health"] != "ok"] == []
    # `db` was never captured, and has not been for long enough to be told of.
    assert {r["name"] for r in rules if r.get("state") == "pending"} >= {"ContraceNoCaptures"}
    assert [r["name"] for r in rules if r.get("state") == "firing"] == []


def test_a_wrong_token_is_refused(prometheus, tmp_path):
    _, daemons = prometheus
    listen = json.loads(daemons[0].config.read_text())["web"]["listen_address"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{listen}/metrics", timeout=30)
    assert refused.value.code == 401
