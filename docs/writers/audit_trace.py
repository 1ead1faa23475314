"""Appends entries to the audit_trace.jsonl of a build. Needs Python 3.8 and nothing else."""

import json
import os
from datetime import datetime, timezone

MAX_LINE_BYTES = 15 * 1024 * 1024  # The exporter skips lines above 16 MiB.


def log_audit_entry(working_dir, **entry):
    """Appends one entry as one line. `None` means unknown. Raises if the line could not be written completely."""
    entry.setdefault("timestamp", datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
    # The output is ASCII, so it is valid UTF-8 whatever the texts contain. NaN and Infinity raise: JSON has none.
    line = (json.dumps(entry, allow_nan=False) + "\n").encode("ascii")
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"the entry takes {len(line)} bytes: shorten error_full or files_touched")

    file = os.path.join(working_dir, "audit_trace.jsonl")
    fd = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if is_torn(fd):
            line = b"\n" + line
        # One write: the kernel does not mix it with those of other writers.
        written = os.write(fd, line)
        if written < len(line):
            raise OSError(f"wrote {written} of {len(line)} bytes to {file}")
        os.fsync(fd)
    finally:
        os.close(fd)


def is_torn(fd):
    """Whether a writer was interrupted in its last line. A new line must begin behind it."""
    size = os.fstat(fd).st_size
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"


def log_size_chars(text):
    """The length of an error log for `error_log_size_chars`: in UTF-16 code units, as JavaScript counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


if __name__ == "__main__":
    error = "src/index.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'."
    log_audit_entry(
        ".",
        workflow_run_id="build-7",
        step_name="initial_verification",
        validation_status="fail",
        validation_error_type="TSC_ERROR",
        error_full=error,
        error_log_size_chars=log_size_chars(error),
    )
    log_audit_entry(
        ".",
        workflow_run_id="build-7",
        step_name="fix_attempt_1",
        prompt_token_count=6318,
        completion_token_count=1525,
        model="gemini-2.5-pro",
        files_touched=["src/index.ts"],
    )
