#!/bin/bash
cd /tmp/w/lead; export PATH=/tmp/w/hvenv/bin:$PATH CCACHE_DIR=/tmp/w/ccache
flock -s /tmp/w/machine.lock cmake --build build/dev -j2 2>&1 | grep -E "error|warning|FAILED|Linking" ; cp build/dev/csrc/*.so python/fusegrad/
