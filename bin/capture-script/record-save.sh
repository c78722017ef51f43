# shellcheck shell=sh disable=SC2154
per_cpu_stats() {
  for cpu in "$I"/per_cpu/cpu*; do
    printf '== %s\n' "${cpu##*/}"
    cat "$cpu/stats"
  done
}

kvm_stats() {
  debug=${KVM_DEBUG:-/sys/kernel/debug/kvm}
  for file in "$debug"/*; do
    if [ -f "$file" ]; then printf '%s %s\n' "${file##*/}" "$(cat "$file" 2>/dev/null)"; fi
  done
}

# save_format EVENT-FOLDER: as SYSTEM.EVENT.
save_format() {
  [ -r "$1/format" ] || return 0
  system=${1%/*}
  cp "$1/format" "$OUT/format/${system##*/}.${1##*/}"
}

# What is the same before and after: kernel, CPU, symbols, formats.
save_host() {
  uname -srvm >"$OUT/uname.txt"
  # Only what bears on KVM and memory: a command line may hold secrets.
  tr ' ' '\n' </proc/cmdline |
    grep -E '^(kvm|nokaslr|mitigations|hugepage|default_hugepage|transparent_huge|arm64\.|id_aa64|mem=|maxcpus|nosmp|isolcpus)' |
    tr '\n' ' ' >"$OUT/cmdline.txt" || :
  cat /proc/cpuinfo >"$OUT/cpuinfo.txt"
  kernel_log >"$OUT/dmesg.kvm.txt"
  awk 'NR == FNR { probed[$2]; next } $3 in probed' "$WORK/functions" \
    "${KALLSYMS:-/proc/kallsyms}" >"$OUT/kallsyms.txt" || :
  mkdir -p "$OUT/format"
  for event in "$I/events/$GROUP"/*/; do save_format "${event%/}"; done
  for tracepoint in $TRACEPOINTS; do save_format "$I/events/$tracepoint"; done
  cat "$I/trace_options" >"$OUT/trace_options.txt"
  cat "$I/trace_clock" >"$OUT/trace_clock.txt"
  cat "$I/set_event" >"$OUT/set_event.txt"
}

# The recording, which has been stopped. Statistics first: reading the trace counts as reading.
save_recording() {
  per_cpu_stats >"$OUT/per_cpu_stats.txt"
  kvm_stats >"$OUT/kvm_stats.after.txt"
  cp "$WORK/kprobes.txt" "$OUT/kprobes.txt"
  grep -F -e ":$GROUP/" "$PROBE_FILE" >"$OUT/kprobe_events.txt" || :
  awk -v dir="$WORK/defined" '{ name = dir "/" $1; if ((getline line < name) >= 0) print; close(name) }' \
    "$TRACEFS/kprobe_profile" >"$OUT/kprobe_profile.txt" 2>/dev/null || :
  cat "$I/trace" >"$OUT/.trace.txt.partial"
  mv "$OUT/.trace.txt.partial" "$OUT/trace.txt"
  save_trace_dat
  save_capture_json
}

# Full resolution of time, for who has trace-cmd; the text stays what is read first.
save_trace_dat() {
  [ "${TRACE_DAT:-1}" = 1 ] || return 0
  command -v trace-cmd >/dev/null 2>&1 || return 0
  if trace-cmd extract -B "$INSTANCE" -o "$OUT/.trace.dat.partial" >/dev/null 2>&1; then
    mv "$OUT/.trace.dat.partial" "$OUT/trace.dat"
  else
    rm -f "$OUT/.trace.dat.partial"
    say "warning: trace-cmd could not extract the instance; the text has everything but sub-microsecond times"
  fi
}

json_text() {
  printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g; s/^/"/; s/$/"/'
}

save_capture_json() {
  lost=$(awk -F': *' '/^(overrun|commit overrun|dropped events):/ { n += $2 } END { print n + 0 }' "$OUT/per_cpu_stats.txt")
  missed=$(awk '{ n += $3 } END { print n + 0 }' "$OUT/kprobe_profile.txt")
  case $MODE in vhe) mode='"VHE"' ;; nvhe) mode='"nVHE"' ;; pkvm) mode='"pKVM"' ;; *) mode=null ;; esac
  {
    printf '{\n "name": %s,\n' "$(json_text "${OUT##*/}")"
    printf ' "recorded_by": %s,\n' "$(json_text "$TOOL")"
    printf ' "kernel": %s,\n' "$(json_text "$KERNEL")"
    printf ' "uname": %s,\n' "$(json_text "$(cat "$OUT/uname.txt")")"
    printf ' "made_for": "%s",\n "arch": "%s",\n' "$MADE_FOR" "$ARCH"
    printf ' "page_size": %s,\n "mode": %s,\n "mode_from": %s,\n' \
      "$(getconf PAGE_SIZE 2>/dev/null || echo null)" "$mode" "$(json_text "$MODE_FROM")"
    printf ' "trace_clock": "%s",\n "buffer_size_kb": "%s",\n "overwrite": %s,\n' \
      "$ASKED_CLOCK" "$BUFFER_KB" "$([ "$OVERWRITE" = 1 ] && echo true || echo false)"
    printf ' "pid_filter": %s,\n "recorded_seconds": %s,\n' "${PID:-null}" "${ELAPSED:-null}"
    printf ' "workload_status": %s,\n "lost_events": %s,\n "kprobe_missed": %s\n}\n' \
      "${WORKLOAD_STATUS:-null}" "$lost" "$missed"
  } >"$OUT/.capture.json.partial"
  mv "$OUT/.capture.json.partial" "$OUT/capture.json"
}
