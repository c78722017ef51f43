# shellcheck shell=sh disable=SC2154
# Functions the kernel can trace, as: FUNCTION-WITHOUT-SUFFIX SYMBOL MODULE
find_functions() {
  list=$TRACEFS/available_filter_functions
  if [ -r "$list" ]; then
    wanted_symbols | awk '
      function bare(name) { while (sub(/\.(isra|constprop|part|llvm)\.[0-9]+$/, "", name)) {} return name }
      NR == FNR { wanted[$1]; next }
      bare($1) in wanted { module = $2; gsub(/[][]/, "", module); print bare($1), $1, module }
    ' - "$list" >"$WORK/functions"
  else
    wanted_symbols | awk '
      function bare(name) { while (sub(/\.(isra|constprop|part|llvm)\.[0-9]+$/, "", name)) {} return name }
      NR == FNR { wanted[$1]; next }
      $2 ~ /^[tTwW]$/ && bare($3) in wanted { module = $4; gsub(/[][]/, "", module); print bare($3), $3, module }
    ' - "${KALLSYMS:-/proc/kallsyms}" >"$WORK/functions"
  fi
  HAS_FIELD_NAMES=0
  if grep -qF -e '<argname>[->field' "$TRACEFS/README" 2>/dev/null; then HAS_FIELD_NAMES=1; fi
}

note() {
  printf '%s\n' "$*" >>"$WORK/kprobes.txt"
}

defined() {
  [ -e "$WORK/defined/$1" ]
}

# Under nVHE and pKVM the primitives exist as symbols, and what runs is a copy at EL2.
visible_primitives() {
  case $MODE in nvhe | pkvm) return 1 ;; esac
}

# look_up FUNCTION: its symbol and module, or the symbol of a clone that a compiler changed.
look_up() {
  symbol='' module='' clone=''
  while read -r bare actual of; do
    [ "$bare" = "$1" ] || continue
    case $actual in
    "$1") symbol=$actual module=$of ;;
    "$1".llvm.*[!0-9]*) clone=$actual ;;
    "$1".llvm.*) symbol=$actual module=$of ;;
    *) clone=$actual ;;
    esac
  done <"$WORK/functions"
}

# probe NEED KIND NAME FUNCTION ARGUMENTS-WITH-FIELDS-BY-NAME ARGUMENTS-WITH-OFFSETS LEFT-OUT
probe() {
  look_up "$4"
  if [ -z "$symbol" ]; then
    if [ -n "$clone" ]; then
      note "SKIPPED $3 $4 $6  # only $clone exists: its registers need not hold these arguments"
    elif [ "$2" = entry ]; then
      note "ABSENT $4"
    fi
    return 0
  fi
  place=${module:+$module:}$symbol
  if [ "$5" != - ] && [ "$HAS_FIELD_NAMES" = 1 ] && define "$2" "$3" "$place" "$5"; then return 0; fi
  if [ "$6" != - ] && define "$2" "$3" "$place" "$6"; then
    [ -z "$7" ] || note "# $3 is without $7: where the kernel keeps it is not known"
    return 0
  fi
  if [ "$6" = - ]; then
    note "SKIPPED $3 $4 $5  # where the kernel keeps $7 is not known, and it does not find it by name"
  else
    note "SKIPPED $3 $4 $6  # refused by the kernel"
  fi
}

# define KIND NAME PLACE ARGUMENTS: adds a probe; fails where the kernel refuses it.
define() {
  case $PROBES:$1 in
  kprobe:entry) line="p:$GROUP/$2 $3 $4" ;;
  kprobe:return) line="r$MAXACTIVE:$GROUP/$2 $3 $4" ;;
  fprobe:entry) line="f:$GROUP/$2 $3 $4" ;;
  fprobe:return) line="f$MAXACTIVE:$GROUP/$2 $3%return $4" ;;
  esac
  line=${line% }
  # Appended: opening the file for writing would remove everybody's probes.
  { printf '%s\n' "$line" >>"$PROBE_FILE"; } 2>/dev/null || return 1
  grep -qF -e ":$GROUP/$2 " "$PROBE_FILE" || return 1
  : >"$WORK/defined/$2"
  note "$line"
}

remove_probes() {
  put 0 "$I/events/$GROUP/enable"
  for file in kprobe_events dynamic_events; do
    [ -e "$TRACEFS/$file" ] || continue
    sed -n "s|^[prf][0-9]*:\($GROUP/[^ ]*\).*|\1|p" "$TRACEFS/$file" >"$WORK/remove"
    while read -r event; do
      { printf '%s\n' "-:$event" >>"$TRACEFS/$file"; } 2>/dev/null || say "warning: $event could not be removed"
    done <"$WORK/remove"
  done
}

# Everything that this script made in the kernel goes; also what a killed run of it left.
clean_up() {
  trap - EXIT
  trap '' INT TERM HUP
  # What fails must not keep the rest from being removed.
  set +e
  if [ -d "$I" ]; then
    put 0 "$I/tracing_on"
    put 0 "$I/events/enable"
  fi
  remove_probes
  if [ -d "$I" ]; then rmdir "$I" || say "warning: $I could not be removed"; fi
  rm -rf "$WORK"
}
