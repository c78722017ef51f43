# shellcheck shell=sh disable=SC2154
say() {
  printf '%s\n' "record.sh: $*" >&2
}

die() {
  say "$*"
  exit 1
}

# put VALUE FILE: writes a setting; fails where the kernel refuses it.
put() {
  { printf '%s\n' "$1" >"$2"; } 2>/dev/null
}

check_host() {
  [ "$(id -u)" = 0 ] || die "needs root, for tracefs"
  if [ -z "${TRACEFS:-}" ]; then
    TRACEFS=/sys/kernel/tracing
    [ -e "$TRACEFS/kprobe_events" ] || TRACEFS=/sys/kernel/debug/tracing
  fi
  [ -e "$TRACEFS/kprobe_events" ] ||
    die "no tracefs with kprobes at $TRACEFS: mount -t tracefs nodev /sys/kernel/tracing"
  [ -d "$TRACEFS/instances" ] || die "this kernel has no tracing instances"
  I=$TRACEFS/instances/$INSTANCE
  if [ "$PROBES" = fprobe ]; then
    PROBE_FILE=$TRACEFS/dynamic_events
    grep -q 'f\[' "$TRACEFS/README" 2>/dev/null ||
      die "this kernel has no fprobe events: make the script with --probes kprobe"
  else
    PROBE_FILE=$TRACEFS/kprobe_events
  fi
}

check_kernel() {
  KERNEL=$(uname -r)
  case $KERNEL in
  "$MADE_FOR" | "$MADE_FOR".* | "$MADE_FOR"-* | "$MADE_FOR"+*) ;;
  *)
    [ "${ANY_KERNEL:-0}" = 1 ] ||
      die "made for Linux $MADE_FOR, this is $KERNEL: tlbi-replay capture --kernel $KERNEL"
    ;;
  esac
  case $ARCH:$(uname -m) in
  arm64:aarch64 | x86:x86_64) ;;
  *) die "made for $ARCH, this is $(uname -m)" ;;
  esac
}

# The kernel log about KVM and the CPU; the journal's where the kernel's own no longer has the boot.
kernel_log() {
  about='kvm \[|CPU features: detected|Linux version '
  log=$(dmesg 2>/dev/null | grep -E "$about") || :
  case $log in
  *'mode initialized successfully'*) ;;
  *)
    if command -v journalctl >/dev/null 2>&1; then
      journal=$(journalctl -k -b -o short-monotonic --no-hostname 2>/dev/null | grep -E "$about") || :
      log=${journal:-$log}
    fi
    ;;
  esac
  [ -z "$log" ] || printf '%s\n' "$log"
}

# Where KVM's code runs: in the kernel (VHE), or at EL2 out of reach (nVHE, pKVM).
find_mode() {
  MODE=${KVM_MODE:-$ASKED_MODE}
  MODE_FROM=given
  case $MODE in
  vhe | nvhe | pkvm | none) return 0 ;;
  auto) ;;
  *) die "KVM_MODE is vhe, nvhe or pkvm, not '$MODE'" ;;
  esac
  MODE_FROM='the kernel log'
  words=$(kernel_log | sed -n 's/.*kvm \[[0-9]*\]: \(.*\) mode initialized successfully.*/\1/p' | tail -n 1)
  case $words in
  *Protected*) MODE=pkvm ;;
  VHE*) MODE=vhe ;;
  *nVHE* | *hVHE* | *Hyp*) MODE=nvhe ;;
  esac
  [ "$MODE" = auto ] || return 0
  # With VHE the kernel's own timer is the hypervisor's, interrupt 26 of the GIC.
  MODE_FROM=/proc/interrupts
  if grep -Eq 'GIC[^ ]* +26 .*arch_timer' /proc/interrupts 2>/dev/null; then
    MODE=vhe
    return 0
  fi
  die "cannot tell VHE from nVHE (the kernel log has gone): set KVM_MODE=vhe, nvhe or pkvm"
}

# KiB of each CPU's buffer: what the busiest CPU is expected to write, within the memory allowed.
find_buffer_size() {
  CPUS=0
  for cpu in "$I"/per_cpu/cpu*; do
    [ -d "$cpu" ] && CPUS=$((CPUS + 1))
  done
  [ "$CPUS" -gt 0 ] || die "the instance has no per-CPU buffers"
  need=$((EVENTS_PER_SECOND * RECORD_SECONDS * BYTES_PER_EVENT / 1024 / BUSY_CPUS + 64))
  allowed=$MEMORY_KB
  if [ -z "$allowed" ]; then
    allowed=$(awk '/^MemAvailable:/ { print int($2 / 4) }' /proc/meminfo)
  fi
  most=$((${allowed:-65536} / CPUS))
  BUFFER_KB=$need
  if [ "$need" -gt "$most" ]; then
    BUFFER_KB=$most
    say "warning: $need KiB for each of $CPUS CPUs would take more memory than allowed; $most KiB hold" \
      "$((most * RECORD_SECONDS / need)) of $RECORD_SECONDS s at the expected rate"
  fi
}
