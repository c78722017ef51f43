# Usage: check.sh [DIR]    (default ./tlbi-recording)
#
# Exit code: 0 complete · 3 events were lost, results will be bounds · 4 not of use as it is ·
# 1 cannot be checked
