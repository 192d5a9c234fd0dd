#!/usr/bin/env bash
# Tests of the built program as a user runs it: COEVAL names the binary.
exec python3 "$(dirname "$0")/program/run.py"
