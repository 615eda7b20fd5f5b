"""`python -m servsim …` is `servsim …`."""

import sys

from servsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
