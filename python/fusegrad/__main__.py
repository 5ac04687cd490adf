"""``python -m fusegrad``: the same as the command ``fusegrad``."""

import sys

from fusegrad.cli import main

if __name__ == "__main__":
    sys.exit(main())
