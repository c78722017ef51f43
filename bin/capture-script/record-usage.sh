# Usage: record.sh [-o DIR] run COMMAND...  record while the command runs
#        record.sh [-o DIR] seconds [N]     record for N seconds
#        record.sh [-o DIR] start           begin; `stop` with the same DIR ends it
#        record.sh [-o DIR] stop            end, save and remove everything
#        record.sh clean                    remove what a killed recording left behind
#
# Start it before the VM is created: what a table held before is unknown otherwise.
#
# It works in a tracing instance of its own and adds probes to one group, which it removes at the end,
# on an error and on a signal. Nothing else that is being traced is touched.
#
# DIR (default ./tlbi-recording) then holds the trace and what tlbi-replay looks for beside it. The
# files tell: names and ids of the tasks that ran KVM code, addresses of the kernel (trace.txt,
# kallsyms.txt: they defeat KASLR until the next boot), kernel and CPU, the guests' page frames. Host
# name, processes' command lines and other tasks are not saved.
#
# Environment: TRACEFS (where tracefs is), KVM_MODE=vhe|nvhe|pkvm (if not found),
# ANY_KERNEL=1 (run on another release than this was made for), TRACE_DAT=0 (no trace.dat).
