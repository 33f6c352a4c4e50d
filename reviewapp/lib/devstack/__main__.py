"""`python -m reviewapp.lib.devstack`."""

import sys

from reviewapp.lib.devstack.cli import main

sys.exit(main(sys.argv[1:]))
