# SPDX-License-Identifier: Apache-2.0
"""relabel_configs: which of the targets found are captured, and where and as what each is."""

import json
import signal

from hostile import healthy
from support import config_text, contraced, job, wait_until
from test_file_sd import replace


def rule(action=None, source=None, **more):
    return {
        **({"action": action} if action else {}),
        **({"source_labels": source} if source else {}),
        **more,
    }


PODS = [
    rule("keep", ["__meta_pod_annotation_contrace_scrape"], regex="true"),
    rule("labelmap", regex="__meta_pod_label_(.+)"),
    rule(source=["__meta_pod_annotation_contrace_path"], regex="(.+)", target_label="__path__"),
    rule(source=["__meta_pod_workload"], target_label="service"),
    rule(source=["__meta_pod_name"], target_label="__host__"),
]


def pod(server, name, scrape="true", **labels):
    return {
        "targets": [server.address],
        "labels": {
            "__meta_pod_annotation_contrace_scrape": scrape,
            "__meta_pod_name": name,
            "__meta_pod_workload": "shop",
            "__meta_pod_label_app": "web",
            **labels,
        },
    }


def test_targets_of_a_file(serve, daemon, tmp_path):
    """Kept, dropped, and asked where their labels say; a change of the file counts."""
    usual, other, never = serve(healthy()), serve(healthy()), serve(healthy())
    found = tmp_path / "found.json"
    way = {"__meta_pod_annotation_contrace_path": "/pprof/trace", "__param_debug": "1&2"}
    groups = [pod(usual, "shop-a"), pod(other, "shop-b", **way), pod(never, "shop-c", "false")]
    replace(found, json.dumps(groups))
    sd = {"job_name": "pods", "incident_artifacts": ["trace"], "relabel_configs": PODS,
          "file_sd_configs": [{"files": [str(found)]}]}  # fmt: skip
    d = daemon([sd])
    d.wait_captured(service="shop", count=2)
    wait_until("nothing is in flight", lambda: not d.spool.incoming())
    assert usual.requests[0].startswith("GET /debug/pprof/trace?seconds=0.2 ")
    assert other.requests[0].startswith("GET /pprof/trace?debug=1%262&seconds=0.2 ")

    mark = d.mark()
    groups[2]["labels"]["__meta_pod_annotation_contrace_scrape"] = "true"
    replace(found, json.dumps(groups))
    d.wait_captured(after=mark)
    d.stop()
    assert d.problems() == []
    assert [len(s.requests) for s in (usual, other, never)] == [1, 1, 1]
    records = d.spool.check()
    assert sorted(key.split("/")[1] for key in records) == ["shop-a", "shop-b", "shop-c"]
    for record in records.values():
        assert record["labels"] == {"app": "web", "service": "shop"}
        assert record["job"] == "pods"


def test_a_reload_brings_other_rules(serve, daemon):
    a, b = serve(healthy()), serve(healthy())

    def jobs(regex):
        rules = [rule("drop", ["__address__"], regex=regex)]
        return [job("shop", a.address, b.address, relabel_configs=rules)]

    d = daemon(jobs(f".*:{a.port}"))
    d.wait_captured()
    d.config.write_text(config_text(jobs(f".*:{b.port}"), d.storage))
    d.signal(signal.SIGHUP)
    d.wait_captured(count=2)
    d.stop()
    assert [len(a.requests), len(b.requests)] == [1, 1]


def test_scheme_of_a_target(serve, daemon):
    """https on a server without TLS is refused, and the name of the host is not the key's."""
    a = serve(healthy())
    labels = {"__scheme__": "https", "__host__": "elsewhere"}
    static = [{"targets": [a.address], "labels": labels}]
    d = daemon([{"job_name": "shop", "static_configs": static}])
    line = d.wait_log("https://127.0.0.1", level="warn")
    assert f":{a.port}/debug/pprof/trace" in line["msg"]
    d.stop()


def test_what_cannot_be_captured_is_said_once(serve, daemon, tmp_path):
    a = serve(healthy())
    rules = [rule(source=["zone"], regex="(.+)", target_label="__address__", replacement="$1:x")]
    found = tmp_path / "found.json"
    good = {"targets": [a.address]}
    bad = {"targets": ["127.0.0.1:1"], "labels": {"zone": "eu"}}
    replace(found, json.dumps([good, bad]))
    d = daemon([{"job_name": "shop", "file_sd_configs": [{"files": [str(found)]}],
                 "relabel_configs": rules}])  # fmt: skip
    line = d.wait_log("1 of 2 targets found cannot be captured and are left out")
    assert line["msg"].endswith("the first, 127.0.0.1:1: the port is a number from 1 to 65535")
    d.wait_captured()
    replace(found, json.dumps([bad, good, {"targets": ["127.0.0.2:1"], "labels": {"zone": "x:y"}}]))
    d.wait_log("2 of 3 targets found cannot be captured")
    replace(found, json.dumps([good]))
    d.wait_log("all targets that are left can be captured again")
    d.stop()
    assert len(d.problems()) == 2


CHECKED = """\
scrape_configs:
- job_name: shop
  static_configs:
  - targets: ["10.0.0.1:6060", "10.0.0.2:6060", "[::1]:6060"]
    labels: {__meta_zone: eu, __host__: "${ZONE:-here}"}
  relabel_configs:
  - {source_labels: [__address__], regex: '10\\.0\\.0\\.1:\\d+', action: drop}
  - {source_labels: [__address__], regex: '(\\[.*\\]):.*', target_label: __path__, replacement: 'x${1}'}
  - {source_labels: [__meta_zone], target_label: zone}
  - {source_labels: [zone], regex: 'e(?P<rest>.*)', target_label: service, replacement: 'shop-${rest}$1$$'}
"""


def test_check_config_shows_what_becomes_of_each(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(CHECKED)
    done = contraced("--check-config", f"--config.file={path}")
    assert done.stdout.splitlines() == [
        "shop: dropped 10.0.0.1:6060 by rule 1 (drop)",
        "shop: kept 10.0.0.2:6060 at http://10.0.0.2:6060/debug/pprof/trace as host here "
        '{zone="eu", service="shop-uu$"}',
        "shop: invalid [::1]:6060: its __path__ does not begin with /, or has a ?, a # or a blank",
        "shop: 1 kept, 1 dropped, 1 invalid",
        f"{path}: good",
    ]
    assert done.stderr == ""


def test_a_bad_rule_is_shown_at_its_place(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(CHECKED.replace("e(?P<rest>.*)", "(?=e)(.*)"))
    done = contraced("--check-config", f"--config.file={path}")
    assert done.returncode == 1
    line = done.stderr.splitlines()[0]
    assert line.startswith(f"{path}:10:36: regex: (?=: RE2 knows")


def test_once(serve, tmp_path):
    """--once takes those that are kept, and ends."""
    a, b = serve(healthy()), serve(healthy())
    path = tmp_path / "c.yaml"
    rules = [rule("drop", ["__address__"], regex=f".*:{a.port}")]
    jobs = [job("shop", a.address, b.address, relabel_configs=rules)]
    path.write_text(config_text(jobs, {"path": str(tmp_path / "spool")}))
    done = contraced("--once", f"--config.file={path}")
    assert done.returncode == 0
    assert [len(a.requests), len(b.requests)] == [0, 1]
