# SPDX-License-Identifier: Apache-2.0
"""The answers to the questions of sql/questions, as Python works them out: a list of rows each, in
order. A question of that name is a function of that name, with _ for -."""

import collections
import math

RELEASES = ("release", "version", "app.kubernetes.io/version", "app_kubernetes_io_version")


def grouped(rows, *names):
    """{values of these: rows}"""
    found = collections.defaultdict(list)
    for row in rows:
        found[tuple(row.get(n) for n in names)].append(row)
    return found


def values(rows, name):
    return [row[name] for row in rows if name in row]


def total(rows, name):
    found = values(rows, name)
    return sum(found) if found else None


def most(rows, name):
    return max(values(rows, name), default=None)


def least(rows, name):
    return min(values(rows, name), default=None)


def mean(rows, name):
    found = values(rows, name)
    return sum(found) / len(found) if found else None


def ratio(a, b):
    return None if a is None or not b else a / b


def away(value, digits):
    """Rounded as DuckDB does it: a half goes away from 0. None here is negative."""
    return math.floor(value * 10**digits + 0.5) / 10**digits


def rounded(value, digits):
    return None if value is None else away(value, digits)


def ms(value):
    return None if value is None else away(value / 1e6, 3)


def distinct(rows, name):
    return len(set(values(rows, name)))


def release(row):
    return next((row["labels"][n] for n in RELEASES if n in row["labels"]), None)


def down(value):
    """Sorts after all that is larger; what is absent comes last."""
    return (value is None, -(value or 0))


def text(value):
    return (value is None, value or "")


def late(value):
    """Texts that sort the other way round."""
    return [-ord(c) for c in value]


def worst_services(f):
    rows = [{**r, "day": r["start"][:10]} for r in f.of("trace") if "sched_p99_ns" in r]
    out = [(*k, len(g), ms(most(g, "sched_p99_ns")), ms(mean(g, "sched_p99_ns")))
           for k, g in grouped(rows, "day", "service").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[3], r[0], r[1]))[:50]


def labels(f):
    rows = [r for r in f.of("trace") if "label" in r]
    of_service = {k[0]: len(g) for k, g in grouped(rows, "service").items()}
    out = [(*k, len(g), away(len(g) / of_service[k[0]], 4))
           for k, g in grouped(rows, "service", "label").items()]  # fmt: skip
    return sorted(out, key=lambda r: (r[0], -r[2], r[1]))


def labels_by_release(f):
    rows = [{**r, "release": release(r)} for r in f.of("trace") if "label" in r and release(r)]
    out = [
        (*k, len(g), least(g, "start"))
        for k, g in grouped(rows, "service", "release", "label").items()
    ]
    return sorted(out, key=lambda r: (r[0], r[1], -r[3], r[2]))


def new_sites(f):
    rows = [r for r in f.of("outlier") if "func" in r]
    out = [(*k, least(g, "start"), len(g), ms(most(g, "duration_ns")))
           for k, g in grouped(rows, "service", "kind", "func", "file", "line").items()]  # fmt: skip
    return sorted(out, key=lambda r: (late(r[5]), r[0], r[1], r[2], r[4]))[:50]


def throttled(f):
    rows = [r for r in f.of("trace") if r["throttled_ns"] > 0]
    out = []
    for k, g in grouped(rows, "service", "host").items():
        cpus = [r["cpu_quota_ns"] / r["cpu_period_ns"] for r in g if "cpu_quota_ns" in r]
        out.append((*k, len(g), away(total(g, "throttled_ns") / total(g, "context_window_ns"), 4),
                    away(total(g, "throttled_periods") / total(g, "periods"), 4),
                    rounded(max(cpus, default=None), 2)))  # fmt: skip
    return sorted(out, key=lambda r: (down(r[3]), r[0], r[1]))[:50]


def slow_tasks(f):
    rows = [r for r in f.of("outlier") if r["kind"] == "task"]
    out = [(*k, len(g), ms(most(g, "duration_ns")), ms(mean(g, "duration_ns")))
           for k, g in grouped(rows, "service", "type").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[3], r[0], r[1]))[:50]


def task_time(f):
    rows = [r for r in f.of("outlier") if r["kind"] == "task" and "waiting_ns" in r]
    out = []
    for k, g in grouped(rows, "service", "type").items():
        whole = total(g, "duration_ns")
        parts = ("running_ns", "runnable_ns", "syscall_ns", "waiting_ns")
        out.append((*k, len(g), *(rounded(ratio(total(g, p), whole), 4) for p in parts)))
    return sorted(out, key=lambda r: (-r[2], r[0], r[1]))[:50]


def before_after(f):
    rows = [{**r, "release": release(r)} for r in f.of("trace") if release(r)]
    out = []
    for (service,), of_service in grouped(rows, "service").items():
        ages = sorted(
            grouped(of_service, "release").items(), key=lambda i: (late(least(i[1], "start")), i[0])
        )
        if len(ages) < 2:
            continue
        (after,), a = ages[0]
        (before,), b = ages[1]
        out.append((service, before, after, least(a, "start"), len(b), len(a),
                    ms(mean(b, "sched_p99_ns")), ms(mean(a, "sched_p99_ns")),
                    rounded(mean(b, "gc_share"), 4), rounded(mean(a, "gc_share"), 4),
                    rounded(mean(b, "goroutines_end"), 1), rounded(mean(a, "goroutines_end"), 1)))  # fmt: skip
    return sorted(out)


def gc_cost(f):
    rows = [r for r in f.of("trace") if "gc_cycles" in r]
    out = [(*k, len(g), away(mean(g, "gc_share"), 4), ms(total(g, "gc_assist_ns")), ms(total(g, "gc_stw_ns")),
            away(total(g, "gc_cycles") * 1e9 / total(g, "window_ns"), 3), most(g, "heap_max_bytes"))
           for k, g in grouped(rows, "service").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[2], r[0]))[:50]


def gc_pauses(f):
    rows = [r for r in f.of("trace") if r["gc_stw_max_ns"] > 0]
    rows.sort(key=lambda r: (-r["gc_stw_max_ns"], r["key"]))
    return [(r["service"], r["host"], r["start"], r["key"], ms(r["gc_stw_max_ns"]), r.get("gc_cycles"))
            for r in rows[:20]]  # fmt: skip


def leaks(f):
    rows = [r for r in f.of("finding") if r["code"] == "goroutine-leak"]
    out = []
    for k, g in grouped(rows, "service", "host").items():
        growth = [r["goroutines_last"] - r["goroutines_first"] for r in g if "goroutines_last" in r]
        out.append((*k, len(g), least(g, "goroutines_first"), most(g, "goroutines_last"),
                    max(growth, default=None), least(g, "start"), most(g, "start")))  # fmt: skip
    return sorted(out, key=lambda r: (-(r[5] or 0), r[0], r[1]))[:50]


def goroutines(f):
    rows = [r for r in f.of("trace") if "pid" in r]
    out = []
    for k, g in grouped(rows, "service", "host", "pid").items():
        g.sort(key=lambda r: (r["start"], r["key"]))
        first, last = g[0]["goroutines_end"], g[-1]["goroutines_end"]
        if last > first:
            out.append((*k, first, last, last - first))
    return sorted(out, key=lambda r: (-r[5], r[0], r[1], r[2]))[:50]


def lost_time(f):
    rows = [r for r in f.of("finding") if r.get("lost_ns", 0) > 0]
    out = [(*k, len(g), away(total(g, "lost_ns") / 1e9, 3), away(most(g, "score"), 3))
           for k, g in grouped(rows, "service", "code").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[3], r[0], r[1]))[:50]


def lock_bound(f):
    rows = [r for r in f.of("finding") if r["code"] == "lock-contention" and r["score"] > 0]
    out = [(*k, len(g), distinct(g, "host"), away(most(g, "score"), 3), away(total(g, "lost_ns") / 1e9, 3),
            least(g, "start"), most(g, "start"))
           for k, g in grouped(rows, "service").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[4], r[0]))


def sites(f):
    rows = [
        r for r in f.of("finding") if "func" in r and r["score"] > 0 and r.get("lost_ns", 0) > 0
    ]
    out = [
        (
            *k, len(g), distinct(g, "host"), away(total(g, "lost_ns") / 1e9, 3),
            least(g, "start"), most(g, "start"),
        )
        for k, g in grouped(rows, "service", "code", "func", "file", "line").items()
    ]  # fmt: skip
    return sorted(out, key=lambda r: (-r[7], r[0], r[1], r[2], r[4]))[:50]


def waits(f):
    kinds = ("wait-lock", "wait-call", "wait-request", "wait-channel")
    rows = [r for r in f.of("outlier") if r["kind"] in kinds and "func" in r]
    out = [(*k, len(g), distinct(g, "host"), ms(most(g, "duration_ns")))
           for k, g in grouped(rows, "service", "kind", "func", "file", "line").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[7], r[0], r[1], r[2], r[4]))[:50]


def syscalls(f):
    rows = [r for r in f.of("outlier")
            if r["kind"] == "syscall" and "func" in r and "open" not in r and "at_start" not in r]  # fmt: skip
    out = [(*k, len(g), ms(most(g, "duration_ns")))
           for k, g in grouped(rows, "service", "func", "file", "line").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[5], r[0], r[1], r[3]))[:50]


def noisy_hosts(f):
    rows = [r for r in f.of("trace") if r.get("host_cpus", 0) > 0]
    out = []
    for k, g in grouped(rows, "host").items():
        window = total(g, "context_window_ns")
        cpus = sum(r["context_window_ns"] * r["host_cpus"] for r in g)
        out.append((*k, len(g), distinct(g, "service"), away(total(g, "host_steal_ns") / cpus, 4),
                    away(total(g, "host_cpu_pressure_some_ns") / window, 4),
                    away(max(r["host_load1"] / r["host_cpus"] for r in g), 2)))  # fmt: skip
    return sorted(out, key=lambda r: (-r[4], -r[3], r[0]))[:50]


def memory(f):
    rows = [r for r in f.of("trace") if r.get("memory_max_bytes", 0) > 0]
    out = [(*k, len(g), away(max(r["memory_current_bytes"] / r["memory_max_bytes"] for r in g), 4),
            most(g, "memory_max_bytes"), most(g, "heap_goal_max_bytes"))
           for k, g in grouped(rows, "service", "host").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[3], r[0], r[1]))[:50]


def incidents(f):
    rows = [r for r in f.of("trace") + f.of("profile") if "incident" in r]
    out = [(*k, least(g, "service"), least(g, "host"), least(g, "start"), len(g), least(g, "reason"),
            least(g, "rule"), least(g, "label"))
           for k, g in grouped(rows, "incident").items()]  # fmt: skip
    return sorted(out, key=lambda r: (late(r[3]), r[0]))[:50]


def silent(f):
    out = [
        (*k, most(g, "start"), len(g)) for k, g in grouped(f.of("trace"), "service", "host").items()
    ]
    return sorted(out, key=lambda r: (r[2], r[0], r[1]))[:50]


def versions(f):
    rows = [{**r, **({"release": release(r)} if release(r) else {})} for r in f.of("trace")]
    out = [(*k, distinct(g, "host"), len(g), most(g, "start"))
           for k, g in grouped(rows, "service", "go_version", "release").items()]  # fmt: skip
    return sorted(out, key=lambda r: (r[0], late(r[5]), r[1]))


def not_inspected(f):
    rows = [r for r in f.of("trace") if "not_inspected" in r or "truncated_by" in r]
    out = [(*k, len(g), most(g, "start"))
           for k, g in grouped(rows, "service", "not_inspected", "truncated_by").items()]  # fmt: skip
    return sorted(out, key=lambda r: (-r[3], r[0], text(r[1]), text(r[2])))
