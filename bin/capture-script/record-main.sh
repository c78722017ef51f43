# shellcheck shell=sh disable=SC2154
begin() {
  check_host
  check_kernel
  find_mode
  [ ! -e "$I" ] || die "$I is there: another recording runs, or one was killed (then: $0 clean)"
  if grep -qF -e ":$GROUP/" "$PROBE_FILE"; then
    die "there are probes of group $GROUP already (of this script: $0 clean)"
  fi
  mkdir -p "$OUT"
  for file in capture.json trace.txt .recording; do
    [ ! -e "$OUT/$file" ] || die "$OUT holds a recording already"
  done
  OUT=$(cd "$OUT" && pwd)
  WORK=$(mktemp -d)
  mkdir "$I" || { rm -rf "$WORK"; die "cannot make the tracing instance $I"; }
  trap clean_up EXIT
  trap 'stop_on_signal INT 130' INT
  trap 'stop_on_signal TERM 143' TERM
  trap 'stop_on_signal HUP 129' HUP
  mkdir "$WORK/defined"
  : >"$WORK/kprobes.txt"
  set_up_instance
  set_up_probes
  save_host
  per_cpu_stats >"$OUT/per_cpu_stats_before.txt"
  kvm_stats >"$OUT/kvm_stats.before.txt"
  STARTED=$(date +%s)
  put 1 "$I/tracing_on" || die "cannot start tracing"
}

set_up_instance() {
  put 0 "$I/tracing_on" || die "cannot write to $I"
  put "$ASKED_CLOCK" "$I/trace_clock" || die "this kernel has no clock '$ASKED_CLOCK'"
  find_buffer_size
  put "$BUFFER_KB" "$I/buffer_size_kb" || die "no memory for $BUFFER_KB KiB a CPU: lower --memory"
  put irq-info "$I/trace_options" || say "warning: no option irq-info"
  if [ "$OVERWRITE" = 1 ]; then put overwrite "$I/trace_options"; else put nooverwrite "$I/trace_options"; fi ||
    die "cannot choose what a full buffer does"
  if [ "$TGID" = 1 ]; then put record-tgid "$I/trace_options" || say "warning: no option record-tgid"; fi
}

set_up_probes() {
  # More calls at a time than CPUs there cannot be while mmu_lock is held.
  MAXACTIVE=$((CPUS * 2))
  [ "$MAXACTIVE" -ge 64 ] || MAXACTIVE=64
  [ "$MAXACTIVE" -le 4096 ] || MAXACTIVE=4096
  find_functions
  define_probes
  case $MODE in
  nvhe) note 'NVHE: the flush primitives run at EL2, not probed' ;;
  pkvm) note 'PKVM: stage 2 is the hypervisor'"'"'s, its tables and flushes are not seen' ;;
  esac
  set -- "$WORK/defined"/*
  [ -e "$1" ] || die "not one probe could be defined: is KVM's module loaded? Is the kernel locked down?"
  for tracepoint in $TRACEPOINTS; do
    [ ! -e "$I/events/$tracepoint/enable" ] || put 1 "$I/events/$tracepoint/enable" ||
      say "warning: tracepoint $tracepoint could not be enabled"
  done
  put 1 "$I/events/$GROUP/enable" || die "the probes could not be enabled"
  [ -z "$PID" ] || follow_process
}

# Only the VMM, its threads and what it forks.
follow_process() {
  [ -d "/proc/$PID/task" ] || die "there is no process $PID"
  put event-fork "$I/trace_options" || die "this kernel cannot follow a process's children"
  : >"$I/set_event_pid"
  for task in "/proc/$PID/task"/*; do
    printf '%s\n' "${task##*/}" >>"$I/set_event_pid" || die "cannot filter by process"
  done
}

stop_on_signal() {
  trap '' INT TERM HUP
  say "stopped by SIG$1: nothing is saved, everything is removed"
  [ -z "${CHILD:-}" ] || kill "$CHILD" 2>/dev/null || :
  clean_up
  exit "$2"
}

finish() {
  put 0 "$I/tracing_on" || die "cannot stop tracing"
  ELAPSED=$(($(date +%s) - STARTED))
  save_recording
  clean_up
  say "saved in $OUT; check it now, while the machine is as it was: sh check.sh $OUT"
  say "then anywhere: tlbi-replay check $OUT"
  if [ "$ARCH" = arm64 ]; then
    say "memslots are in the trace (commit_region); QEMU's 'info mtree -f' and 'info ramblock' name them"
  fi
}

# Waits for a child so that a signal is seen at once.
wait_for() {
  CHILD=$1
  WORKLOAD_STATUS=0
  wait "$CHILD" || WORKLOAD_STATUS=$?
  CHILD=
}

# What `stop` must know of `start`.
save_state() {
  for name in WORK MODE MODE_FROM KERNEL BUFFER_KB STARTED; do
    eval "value=\$$name"
    # shellcheck disable=SC2154
    printf "%s='%s'\n" "$name" "$(printf '%s' "$value" | sed "s/'/'\\\\''/g")"
  done >"$OUT/.recording"
}

main() {
  umask 077
  LC_ALL=C
  export LC_ALL
  OUT=./tlbi-recording
  CHILD=
  if [ "${1:-}" = -o ]; then
    [ $# -ge 2 ] || die "-o needs a folder"
    OUT=$2
    shift 2
  fi
  action=${1:-}
  [ $# -eq 0 ] || shift
  RECORD_SECONDS=$SECONDS_DEFAULT
  case $action in
  run)
    [ $# -gt 0 ] || die "run needs a command"
    begin
    # A shell gives a background command /dev/null instead of its own standard input.
    exec 3<&0
    "$@" <&3 3<&- &
    wait_for $!
    exec 3<&-
    finish
    [ "$WORKLOAD_STATUS" = 0 ] || say "note: the command ended with status $WORKLOAD_STATUS"
    ;;
  seconds)
    RECORD_SECONDS=${1:-$SECONDS_DEFAULT}
    case $RECORD_SECONDS in '' | *[!0-9]* | 0) die "seconds needs a whole number" ;; esac
    begin
    sleep "$RECORD_SECONDS" &
    wait_for $!
    WORKLOAD_STATUS=null
    finish
    ;;
  start)
    begin
    save_state
    trap - EXIT INT TERM HUP
    say "recording; end it with: $0 -o $OUT stop"
    ;;
  stop)
    check_host
    [ -e "$OUT/.recording" ] || die "$OUT holds no recording that was started"
    OUT=$(cd "$OUT" && pwd)
    # shellcheck disable=SC1091
    . "$OUT/.recording"
    if [ ! -d "$I" ] || [ ! -d "$WORK" ]; then die "the recording is gone: $I"; fi
    trap clean_up EXIT
    finish
    rm -f "$OUT/.recording"
    ;;
  clean)
    check_host
    WORK=$(mktemp -d)
    clean_up
    ;;
  *)
    sed -n '/^# Usage:/,/^# Environment/p' "$0" >&2
    exit 2
    ;;
  esac
}

main "$@"
