#!/bin/bash
# The hostile corpus against a program: run.sh PROGRAM [--only NAME...] [--keep DIR]; see run.py.
exec /usr/bin/python3 "$(dirname "$0")/run.py" "$@"
