#!/bin/sh
# A grid over learning rate x width, from a shell. Prints the folder of the best run.
#
#     examples/sweep.sh              one training after the other, in for loops
#     examples/sweep.sh xargs        several at a time, with xargs -P
#     examples/sweep.sh parallel     several at a time, with GNU parallel
#
# Stop it at any time (Ctrl-C, kill, a power cut) and start it again, in any of the three ways: what has ended is not
# trained again, what was interrupted goes on from its last save. `train --once` sees to that.
#
# What it sweeps over, with other values from the environment:  LRS='0.1 0.3' CONFIG=my.yaml NAME=mine examples/sweep.sh
set -eu

CONFIG=${CONFIG:-configs/wine.yaml}
NAME=${NAME:-sweep}
LRS=${LRS:-0.002 0.005 0.02}
WIDTHS=${WIDTHS:-8 32}
METRIC=${METRIC:-loss}
JOBS=${JOBS:-2}
export CONFIG NAME

# One training; its folder goes to stderr. 4 is a run that diverged: a result as well, and no reason to stop the others.
one() {
    nnctl train "$CONFIG" --name "$NAME" --once -q "$1" "$2" >&2 || [ $? -eq 4 ]
}

# Every point of the grid on a line.
grid() {
    for lr in $LRS; do
        for width in $WIDTHS; do
            echo "optimizer.lr=$lr model.hidden=[$width]"
        done
    done
}

case ${1:-for} in
for)
    for lr in $LRS; do
        for width in $WIDTHS; do
            one "optimizer.lr=$lr" "model.hidden=[$width]"
        done
    done
    ;;
xargs)
    grid | xargs -P "$JOBS" -n 2 "$0" one
    ;;
parallel)
    grid | parallel --jobs "$JOBS" --halt now,fail=1 --colsep ' ' "$0" one
    ;;
one)
    one "$2" "$3" || exit 255 # at which xargs starts no more
    exit
    ;;
*)
    echo "usage: $0 [for | xargs | parallel]" >&2
    exit 2
    ;;
esac

nnctl runs best "$NAME" --metric "$METRIC"
