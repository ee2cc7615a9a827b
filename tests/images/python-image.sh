#!/bin/sh
# python-image.sh TAG CACHE_DIR: a base image with Python 3, its whole standard library and pip.
#
# Stands for the official python:3-slim where no registry answers: then it is a minimal Debian of
# this machine's release, kept as CACHE_DIR/python-base.tar.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/python-base.sh"
image_arguments "$@"
need_engine
lock_cache python
done_if_present
scratch
python_base python:3.13-slim
