"""`python -m atom_hf` is `atom-hf`."""

import sys

from .cli import main

sys.exit(main())
