"""The audits once more, from the files alone and in another language: what the report is compared with."""
import json, pathlib, re, sys
from collections import Counter, defaultdict
from datetime import datetime

TIMEOUT_MS = 3_600_000


def ms(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def phase(step):
    for pattern, name in (("^scaffold", "scaffold"), ("^implement", "implement"), ("^(fix|repair)", "rework"),
                          ("verif|valid|compliance|check", "verify")):
        if re.search(pattern, step, re.I):
            return name
    return "other"


def close(run, outcome):
    run["outcome"], run["closing_hash"] = outcome, run["hash"]


entries = []
for file in sorted(pathlib.Path(sys.argv[1]).rglob("audit_trace.jsonl"), key=str):
    for line in file.read_text().splitlines():
        if line.strip():
            entries.append(json.loads(line))
for e in entries:
    e["ms"] = ms(e["timestamp"])
entries.sort(key=lambda e: e["ms"])
now = int(sys.argv[2])

runs = {}
for e in entries:
    run = runs.setdefault(e["workflow_run_id"], dict(entries=[], outcome=None, failed=False, fixes=0, hash=None, error=""))
    e["phase"] = phase(e["step_name"])
    status = e.get("validation_status") or "N/A"
    error = e.get("validation_error_type") or e.get("error_type") or ""
    e["error"] = "" if error == "N/A" else error
    if e["phase"] == "rework" and e["error"] == "":
        e["error"] = run["error"]
    p, c, t = (e.get(k) for k in ("prompt_token_count", "completion_token_count", "total_token_cost"))
    if p is not None and c is not None:
        t = p + c
    elif p is not None or c is not None:
        # The parts win over a smaller total; one that stands alone is all that is known to be spent.
        part = p if p is not None else c
        if t is not None and t >= part:
            p, c = t - (c or 0) if p is None else p, t - (p or 0) if c is None else c
        t = max(x for x in (part, t) if x is not None)
    e["p"], e["c"], e["t"] = p, c, t
    own = log = e.get("error_log_size_chars")
    if log is None and e["phase"] == "rework":
        log = run.get("log")
    e["log"] = log
    if run["outcome"] is None and run["entries"] and e["ms"] - run["entries"][-1]["ms"] > TIMEOUT_MS:
        close(run, "failed" if run["failed"] else "abandoned")
    if re.fullmatch("[0-9a-fA-F]{64}", e.get("context_file_hash") or ""):
        run["hash"] = e["context_file_hash"].lower()
    e["hash"] = run["hash"]
    e["status"] = status
    if e["phase"] == "rework":
        run["fixes"] += 1
    if status == "fail":
        run["failed"] = True
        run["error"] = e["error"]
        run["log"] = own if own is not None else len(e.get("error_full") or "")
    run["entries"].append(e)
    if run["outcome"] is None and status == "pass":
        close(run, "after_rework" if run["failed"] or run["fixes"] else "first_pass")
for run in runs.values():
    if run["outcome"] is None and now - run["entries"][-1]["ms"] > TIMEOUT_MS:
        close(run, "failed" if run["failed"] else "abandoned")
    run["tokens"] = sum(e["t"] or 0 for e in run["entries"])
closed = [r for r in runs.values() if r["outcome"]]
total = lambda rows, key: sum(r[key] or 0 for r in rows)
group = lambda rows, key: {k: [r for r in rows if key(r) == k] for k in {key(r) for r in rows}}
wins = lambda rows: sum(r["outcome"] in ("first_pass", "after_rework") for r in rows)

fixes = group([e for e in entries if e["phase"] == "rework"], lambda e: e["error"])
shares = group([e for e in entries if e.get("context_token_count") is not None], lambda e: e["phase"])
steps = group(entries, lambda e: (e["step_name"], e["phase"]))
failures = group([e for e in entries if e["status"] == "fail"], lambda e: e["error"])
seen = []
for e in entries:
    if e["hash"] and e["hash"] not in seen:
        seen.append(e["hash"])
byhash = group(closed, lambda r: r["closing_hash"])


def first_failures(rows):
    firsts = [next((e for e in r["entries"] if e["status"] in ("pass", "fail")), None) for r in rows]
    return dict(Counter(e["error"] for e in firsts if e and e["status"] == "fail"))


def prompt_versions(phase_name):
    out = defaultdict(lambda: dict(steps=0, completion=0, builds=0, first_pass=0, judged=0, passed=0))
    for run in runs.values():
        used = set()
        for i, e in enumerate(run["entries"]):
            v = e.get("instruction_version")
            named = re.search(r"[_-](v\d+(?:\.\d+)*)(?=$|[_-])", e["step_name"], re.I)
            if not v and named:
                v = f"{named[1].lower()} (step name)"
            if e["phase"] != phase_name or not v:
                continue
            o = out[v]
            o["steps"] += 1
            o["completion"] += e["c"] or 0
            verdict = next((x["status"] for x in run["entries"][i:] if x["status"] in ("pass", "fail")), None)
            o["judged"] += verdict is not None
            o["passed"] += verdict == "pass"
            used.add(v)
        for v in used:
            if run["outcome"]:
                out[v]["builds"] += 1
                out[v]["first_pass"] += run["outcome"] == "first_pass"
    return out


starts = [next(e["hash"] for e in r["entries"] if e["hash"]) for r in runs.values() if r["hash"]]
days = group(entries, lambda e: datetime.utcfromtimestamp(e["ms"] / 1000).strftime("%Y-%m-%d"))
print(json.dumps(dict(
    entries=len(entries),
    tokens=total(entries, "t"),
    builds=dict(Counter(r["outcome"] for r in closed)),
    build_tokens=total(closed, "tokens"),
    per_success=total(closed, "tokens") / wins(closed),
    fix_cost={k: [len(v), total(v, "t"), total([e for e in v if e["log"]], "c"), total([e for e in v if e["c"] is not None], "log")]
              for k, v in fixes.items()},
    prompt_share={k: [total(v, "context_token_count"), total(v, "instruction_token_count")] for k, v in shares.items()},
    steps={k[0]: [len(v), total(v, "t")] for k, v in steps.items()},
    error_types={k: [len(v), len({e["workflow_run_id"] for e in v}), total(fixes.get(k, []), "t")] for k, v in failures.items()},
    revisions=[[h[:12], len(byhash[h]), sum(r["outcome"] == "first_pass" for r in byhash[h]), total(byhash[h], "tokens"),
                wins(byhash[h]), first_failures(byhash[h])] for h in seen if h in byhash],
    implement={k: [o["steps"], o["completion"], o["builds"], o["first_pass"]] for k, o in prompt_versions("implement").items()},
    fixes={k: [o["steps"], o["completion"], o["judged"], o["passed"]] for k, o in prompt_versions("rework").items()},
    changes=sum(i > 0 and h not in starts[max(0, i - 20):i] for i, h in enumerate(starts)),
    days={k: [len({e["hash"] for e in v if e["hash"]}), sum(e["status"] != "N/A" for e in v),
              sum(e["status"] == "pass" for e in v), total(v, "t")] for k, v in days.items()},
)))
