#!/bin/bash
# offered_words.sh COMPLETION [WORD…] BEGINNING: what the completion offers behind "nslookout WORD…" for a word that begins so.
set -euo pipefail
# shellcheck source=/dev/null
. "$1"
compopt() { :; } # bash has it only while it completes
COMP_WORDS=(nslookout "${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_nslookout
printf '%s\n' "${COMPREPLY[@]}"
