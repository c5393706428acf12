#!/usr/bin/env bash
# Runs a gate of kelf in a job of GitHub: annotations in the log, SARIF in $KELF_SARIF, the summary on the job's page. $KELF_ARGS are split as a
# shell splits words, quotes included; nothing in them is run.
set -u
kelf="${GITHUB_ACTION_PATH:-$(dirname "$0")/..}/dist/cli/kelf.cjs"
mapfile -t args < <(xargs printf '%s\n' <<<"$KELF_ARGS")
summary=$(mktemp)
node "$kelf" "${args[@]}" --format github --out "sarif=$KELF_SARIF" --out "markdown=$summary"
code=$?
cat "$summary" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
rm -f "$summary"
exit "$code"
