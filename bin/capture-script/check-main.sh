# shellcheck shell=sh disable=SC2154
VERDICT=0

ok() {
  printf 'ok    %s\n' "$*"
}
warn() {
  printf 'warn  %s\n' "$*"
}
lossy() {
  printf 'LOSS  %s\n' "$*"
  [ "$VERDICT" -ge 3 ] || VERDICT=3
}
bad() {
  printf 'FAIL  %s\n' "$*"
  VERDICT=4
}

cannot() {
  printf 'check.sh: %s\n' "$*" >&2
  exit 1
}

check_files() {
  [ ! -e "$DIR/.recording" ] || cannot "$DIR: the recording is still running (record.sh -o DIR stop)"
  [ -e "$DIR/capture.json" ] || cannot "$DIR holds no finished recording (capture.json is missing)"
  for file in trace.txt kprobes.txt kprobe_profile.txt per_cpu_stats.txt trace_clock.txt uname.txt; do
    [ -s "$DIR/$file" ] || bad "$file is missing or empty"
  done
  [ "$VERDICT" = 0 ] || finish
}

mode() {
  sed -n 's/^ "mode": "\(.*\)",$/\1/p' "$DIR/capture.json"
}

hits() {
  awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$DIR/kprobe_profile.txt"
}

is_defined() {
  grep -q "^[prf][0-9]*:$GROUP/$1 " "$DIR/kprobes.txt" || grep -q "^[prf][0-9]*:$GROUP/$1\$" "$DIR/kprobes.txt"
}

is_primitive() {
  case " $PRIMITIVES " in *" $1 "*) return 0 ;; esac
  return 1
}

check_probes() {
  count=0
  for name in $NEEDED; do
    if is_defined "$name"; then
      count=$((count + 1))
      continue
    fi
    if is_primitive "$name"; then
      case $(mode) in nVHE | pKVM)
        continue
        ;;
      esac
    fi
    bad "probe $name is not there: $(grep -E "^(SKIPPED $name |ABSENT )" "$DIR/kprobes.txt" | grep -E "^SKIPPED" || echo 'the kernel has no such function')"
  done
  [ "$VERDICT" -ge 4 ] || ok "$count needed probes registered"
  case $(mode) in
  nVHE) warn "nVHE: the flush primitives run at EL2 and are not recorded; requests stand for them" ;;
  pKVM) bad "pKVM: stage 2 belongs to the hypervisor, its tables are not in the trace" ;;
  esac
  grep '^SKIPPED' "$DIR/kprobes.txt" | while read -r line; do warn "$line"; done
}

check_misses() {
  if [ "$PROBES" = fprobe ]; then
    warn "what fprobes missed is counted nowhere"
    return 0
  fi
  missed=$(awk '$3 > 0 { printf "%s%s %s", sep, $1, $3; sep = ", " }' "$DIR/kprobe_profile.txt")
  if [ -n "$missed" ]; then
    lossy "probes missed calls: $missed (a return probe that misses: more than maxactive calls at a time)"
  else
    ok "no probe missed a call"
  fi
}

check_hits() {
  if [ "$PROBES" = fprobe ]; then return 0; fi
  if [ "$ARCH" != arm64 ]; then
    [ "$(hits kvm_flush_remote_tlbs)" -gt 0 ] || warn "kvm_flush_remote_tlbs was never called"
    return 0
  fi
  if is_defined map && [ "$(hits map)" = 0 ]; then
    bad "map was never called: no guest touched memory while this was recorded"
    return 0
  fi
  for name in map unmap wrprotect relax_perms split; do
    is_defined "${name}_ret" || continue
    [ "$(hits "$name")" = "$(hits "${name}_ret")" ] ||
      lossy "$name was called $(hits "$name") times and returned $(hits "${name}_ret") times"
  done
  total=0
  for name in $PRIMITIVES; do total=$((total + $(hits "$name"))); done
  if is_defined hw_vmid_ipa && [ "$total" = 0 ] && [ "$(hits unmap)" -gt 0 ]; then
    bad "tables were unmapped and not one flush primitive was seen: is this nVHE?"
  else
    ok "map $(hits map), unmap $(hits unmap), flush primitives $total calls"
  fi
  never=
  for name in $NEEDED; do
    if is_defined "$name" && [ "$(hits "$name")" = 0 ]; then never="$never $name ($(why_not "$name"));"; fi
  done
  [ -z "$never" ] || printf 'note  never called:%s\n' "${never%;}"
}

# What it means that a probed function was never called; none of these makes a recording worse.
why_not() {
  case $1 in
  unmap) echo 'nothing was unmapped' ;;
  wrprotect) echo 'no dirty logging' ;;
  relax_perms) echo 'no permission fault' ;;
  split) echo 'no eager split' ;;
  destroy) echo 'no VM ended' ;;
  tlb_range | hw_vmid_range) echo 'no range flush' ;;
  hw_vmid) echo 'no flush of a whole VMID' ;;
  hw_vmid_ipa) echo 'no flush of one address' ;;
  hw_vmid_ipa_nsh) echo 'no flush on one CPU only' ;;
  *) echo 'not needed by what ran' ;;
  esac
}

check_buffers() {
  lost=$(awk '
    /^== / { cpu = $2 }
    /^(overrun|commit overrun|dropped events): *[1-9]/ { printf "%s%s %s", sep, cpu, $0; sep = "; " }
  ' "$DIR/per_cpu_stats.txt")
  if [ -n "$lost" ]; then
    lossy "the buffer was too small: $lost (raise --memory or --events-per-second, or record less)"
  else
    ok "no CPU lost an event"
  fi
}

# One pass over the trace: header, events, VMs and tables.
check_trace() {
  awk -v group="$GROUP" '
    function value(key,    at, rest) {
      at = index($0, " " key "=")
      if (at == 0) return ""
      rest = substr($0, at + length(key) + 2)
      sub(/ .*/, "", rest)
      return rest
    }
    /^#/ {
      if ($0 ~ /entries-in-buffer\/entries-written/) { split($3, n, "/"); held = n[1]; written = n[2]; header = 1 }
      next
    }
    substr($0, 17, 1) == "-" { events++ }
    / commit_region: / && value("change") == "0" { if (!(value("kvm") in vm)) { vm[value("kvm")]; vms++ } }
    / kvm_arch_commit_memory_region: / && value("change") == "0" { if (!(value("kvm") in vm)) { vm[value("kvm")]; vms++ } }
    / map: / {
      if (!(value("pgt") in table)) { table[value("pgt")]; tables++ }
      mmu = value("mmu")
      if (mmu != "") { maps++; if (mmu == "0x0") zeros++; else mapped[mmu] }
    }
    / (hw_vmid|hw_vmid_ipa|hw_vmid_ipa_nsh|hw_vmid_range|tlb_range): / { mmu = value("mmu"); if (mmu != "") flushed[mmu] }
    END {
      known = 0; seen = 0
      for (m in flushed) { seen++; if (m in mapped) known++ }
      print header + 0, held + 0, written + 0, events + 0, vms + 0, tables + 0, maps + 0, zeros + 0, seen, known
    }
  ' "$DIR/trace.txt" >"$RESULT"
  read -r header held written events vms tables maps zeros seen known <"$RESULT"
  if [ "$header" = 0 ]; then
    bad "trace.txt has no header"
  elif [ "$events" = 0 ]; then
    bad "trace.txt holds no event"
  elif [ "$events" -lt "$held" ] || [ -n "$(tail -c 1 "$DIR/trace.txt")" ]; then
    bad "trace.txt is cut: it holds $events of $held events"
  elif [ "$held" != "$written" ]; then
    lossy "$((written - held)) of $written events were overwritten"
  else
    ok "trace.txt is whole: $events events"
  fi
  check_tables
}

check_tables() {
  if [ "$vms" = 0 ]; then
    lossy "no VM was created while this was recorded: what tables held before is unknown"
  elif [ "$tables" -gt "$vms" ] && [ "$ARCH" = arm64 ]; then
    warn "$tables tables and only $vms VM created: one ran before (or guests are nested)"
  elif [ "$ARCH" = arm64 ]; then
    ok "created while this was recorded: $vms VM, with $tables tables"
  else
    ok "created while this was recorded: $vms VM"
  fi
  if [ "$maps" -gt 0 ] && [ "$zeros" = "$maps" ]; then
    warn "mmu= is 0x0 in every map: it is read from a wrong place; tlbi-replay goes by pgt="
  elif [ "$maps" -gt "$zeros" ] && [ "$seen" -gt 0 ] && [ "$known" = 0 ]; then
    bad "mmu= of map never is that of a flush: it is read from a wrong place"
  fi
}

check_clock() {
  clock=$(sed 's/.*\[\(.*\)\].*/\1/' "$DIR/trace_clock.txt")
  if [ "$clock" = "$ASKED_CLOCK" ]; then ok "clock $clock"; else bad "clock is '$clock', not $ASKED_CLOCK"; fi
}

check_host_facts() {
  if [ "$ARCH" = arm64 ] && ! grep -q 'CPU features: detected' "$DIR/dmesg.kvm.txt" 2>/dev/null; then
    warn "the kernel log no longer tells the CPU features: give them with --cpu"
  fi
  if grep -q '"pid_filter": [0-9]' "$DIR/capture.json"; then
    warn "only one process was recorded: what kernel threads unmapped is missing"
  fi
}

finish() {
  case $VERDICT in
  0) printf 'complete\n' ;;
  3) printf 'usable, with losses: results will be bounds\n' ;;
  *) printf 'not of use as it is\n' ;;
  esac
  printf 'next: tlbi-replay check %s\n' "$DIR"
  exit "$VERDICT"
}

LC_ALL=C
export LC_ALL
DIR=${1:-./tlbi-recording}
[ -d "$DIR" ] || cannot "$DIR is no folder"
RESULT=$(mktemp)
trap 'rm -f "$RESULT"' EXIT
check_files
check_probes
check_misses
check_hits
check_buffers
check_trace
check_clock
check_host_facts
finish
