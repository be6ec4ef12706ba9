# bash completion for nslookout(8). Install as /usr/share/bash-completion/completions/nslookout. Needs nothing but bash.

_nslookout_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# Paths after an optional prefix such as "exact:". The shell cuts words at the colon, so the reply is the path alone.
_nslookout_paths() {
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
  compopt -o filenames 2>/dev/null
}

# Completes the value of an option; false when the option has none to offer.
_nslookout_value() {
  local option=$1 current=$2
  case $option in
    --rules | --config | --work-dir | --sarif | --html | --ready-file | --status-socket | --history | --events | --cri-socket | --docker-socket | --kubelet-token-file | --kubelet-ca | --proc | --resolvers) _nslookout_paths "$current" ;;
    --list | --allow | --allow-only) _nslookout_words "exact: suffix:" "$current" && compopt -o nospace 2>/dev/null ;;
    --output) _nslookout_words "stdout jsonl: protobuf: unix: syslog:udp:// syslog:tcp:// syslog:tls:// journald otlp:http kafka:" "$current" && compopt -o nospace 2>/dev/null ;;
    --backend) _nslookout_words "auto fentry cgroup kprobe" "$current" ;;
    --mode) _nslookout_words "audit dry-run enforce" "$current" ;;
    --block-level) _nslookout_words "informational low medium high critical none" "$current" ;;
    --fail-on)
      if [[ ${COMP_WORDS[1]} == diff ]]; then
        _nslookout_words "new" "$current"
      else
        _nslookout_words "informational low medium high critical none" "$current"
      fi
      ;;
    --block-rule | --block-list) ;;
    --annotations) _nslookout_words "none github" "$current" ;;
    --timeout) ;;
    --answer) _nslookout_words "nxdomain refused none" "$current" ;;
    --hidden-clients) _nslookout_words "auto observe deny" "$current" ;;
    --bypass) _nslookout_words "on off" "$current" ;;
    --own-resolver) ;;
    --fail) _nslookout_words "open closed" "$current" ;;
    --observe) _nslookout_words "matches all unique" "$current" ;;
    --log-level) _nslookout_words "error warning notice debug" "$current" ;;
    --format)
      if [[ ${COMP_WORDS[1]} == check ]]; then
        _nslookout_words "text json sarif" "$current"
      elif [[ ${COMP_WORDS[1]} == ci ]]; then
        _nslookout_words "text markdown json" "$current"
      else
        _nslookout_words "text json" "$current"
      fi
      ;;
    --expand | --history-max | --observe-rate | --title | --collapse) ;;
    --since) _nslookout_words "1h 24h 7d" "$current" ;;
    --field) _nslookout_words "record_type= Image= User= CommandLine=" "$current" && compopt -o nospace 2>/dev/null ;;
    --kubelet) _nslookout_words "https://127.0.0.1:10250 http://127.0.0.1:10255" "$current" ;;
    --metrics) _nslookout_words "127.0.0.1:9477" "$current" ;;
    --port) _nslookout_words "53 5353 5355" "$current" ;;
    *) return 1 ;;
  esac
  return 0
}

# What `run` takes and those commands too that run an agent of their own.
_nslookout_agent="--rules --list --product-windows --expand --keep-going --max-names --search-suffix --observe-rate --responses \
  --backend --mode --block-level --block-rule --block-list --allow --allow-only --answer --fail --hidden-clients --bypass \
  --resolvers --own-resolver --port --process-entries --history --history-max --hunt-on-reload --metrics --status-socket \
  --cri-socket --docker-socket --no-runtime-sockets --kubelet --kubelet-token-file --kubelet-ca --kubelet-insecure --proc \
  --no-sandbox --allow-writable --log-level --config --no-config --help"

_nslookout_ci() {
  local part=${COMP_WORDS[2]}
  if ((COMP_CWORD == 2)); then
    _nslookout_words "start stop summary allow-list --help" "$1"
  elif [[ $part == start ]]; then
    _nslookout_words "$_nslookout_agent --work-dir --timeout --output" "$1"
  elif [[ $part == stop ]]; then
    _nslookout_words "--work-dir --timeout --help" "$1"
  elif [[ $part == allow-list ]]; then
    _nslookout_words "--work-dir --events --collapse --help" "$1"
  else
    _nslookout_words "--work-dir --format --fail-on --annotations --sarif --html --help" "$1"
  fi
}

_nslookout() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()

  if ((COMP_CWORD == 1)); then
    _nslookout_words "run check explain match replay hunt diff report top doctor status selftest decode ci release config version --help --version" "$current"
    return
  fi

  # "--output jsonl:/va" arrives as the words --output, jsonl, :, /va.
  if [[ $previous == ":" || $current == ":" ]]; then
    [[ $current == ":" ]] && current=""
    _nslookout_paths "$current"
    return
  fi
  # "--backend=cg" arrives as --backend, =, cg.
  if [[ $previous == "=" ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi
  if [[ $current == "=" ]]; then current="" previous=${COMP_WORDS[COMP_CWORD - 1]}; fi
  _nslookout_value "$previous" "$current" && return

  case $command in
    run) _nslookout_words "$_nslookout_agent --observe --output --ready-file" "$current" ;;
    check | explain)
      if [[ $current == -* ]]; then
        _nslookout_words "--format --product-windows --expand --help" "$current"
      else
        _nslookout_paths "$current"
      fi
      ;;
    match)
      _nslookout_words \
        "--rules --list --field --events --format --product-windows --expand --keep-going --search-suffix --help" "$current"
      ;;
    replay)
      if [[ $current == -* ]]; then
        _nslookout_words \
          "--rules --list --product-windows --expand --keep-going --max-names --search-suffix --observe --responses \
           --port --output \
           --help" "$current"
      else
        _nslookout_paths "$current"
      fi
      ;;
    hunt)
      if [[ $current == -* ]]; then
        _nslookout_words \
          "--rules --list --product-windows --expand --keep-going --max-names --search-suffix --history --since --format \
           --fail-on-match --help" "$current"
      else
        _nslookout_paths "$current"
      fi
      ;;
    diff)
      if [[ $current == -* ]]; then _nslookout_words "--format --fail-on --help" "$current"; else _nslookout_paths "$current"; fi
      ;;
    report)
      if [[ $current == -* ]]; then
        _nslookout_words "--history --events --since --html --title --help" "$current"
      else
        _nslookout_paths "$current"
      fi
      ;;
    top) _nslookout_words "$_nslookout_agent --events" "$current" ;;
    doctor) _nslookout_words "--format --help" "$current" ;;
    status) _nslookout_words "--format --status-socket --help" "$current" ;;
    selftest)
      _nslookout_words \
        "--rules --list --product-windows --expand --keep-going --max-names --backend --format --help" "$current"
      ;;
    decode)
      if [[ $current == -* ]]; then _nslookout_words "--help" "$current"; else _nslookout_paths "$current"; fi
      ;;
    ci) _nslookout_ci "$current" ;;
    config)
      if ((COMP_CWORD == 2)); then
        _nslookout_words "check show schema --help" "$current"
      elif [[ $current == -* ]]; then
        _nslookout_words "--help" "$current"
      else
        _nslookout_paths "$current"
      fi
      ;;
    version | release) _nslookout_words "--help" "$current" ;;
  esac
}

complete -F _nslookout nslookout
