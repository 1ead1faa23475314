#!/bin/sh
# Appends one entry to the audit_trace.jsonl in a directory. Needs jq 1.6 and dd (GNU or BusyBox).
#
#   audit-trace.sh DIRECTORY NAME=TEXT... NAME:=JSON...
#
#   audit-trace.sh . workflow_run_id=build-7 step_name=verification_1 validation_status=fail \
#     validation_error_type=TSC_ERROR "error_full=$(tail -c 100000 tsc.log)"
#   audit-trace.sh . workflow_run_id=build-7 step_name=fix_attempt_2 prompt_token_count:=6318 \
#     completion_token_count:=1525 files_touched:='["src/index.ts"]'
set -eu

file=${1:?the directory of the build is missing}/audit_trace.jsonl
shift

# jq quotes the texts and replaces bytes that are not UTF-8. A value that is not JSON is an error; NaN becomes null.
line=$(jq -nc --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '
  reduce $ARGS.positional[] as $field ({timestamp: $now};
    ($field | index("=")) as $at
    | if $at == null then error("no = in " + $field) else . end
    | $field[:$at] as $name
    | $field[$at + 1:] as $text
    | if $name | endswith(":") then .[$name[:-1]] = ($text | fromjson) else .[$name] = $text end)
' --args -- "$@")

# A writer was interrupted in its last line if that has no newline. The new line must begin behind it.
newline=
if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then
  newline='
'
fi

# One write: the kernel does not mix it with those of other writers. printf and jq split lines above 4 KiB.
printf '%s%s\n' "$newline" "$line" | dd of="$file" bs=16M iflag=fullblock oflag=append conv=notrunc,fsync status=none
