"""The arena as a Space; everything it does is in `atom_hf.apps.preference_arena`.

python spaces/preference_arena/app.py
ATOM_HF_ARENA_PAIRS=campaign ATOM_HF_ARENA_ADMIN=… python spaces/preference_arena/app.py
"""

import logging
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave their core to other visitors

from atom_hf.apps.preference_arena.app import launch_options, make_app
from atom_hf.apps.preference_arena.limits import Tickets
from atom_hf.apps.preference_arena.serving import open_arena
from atom_hf.apps.preference_arena.settings import PageSettings
from atom_hf.arena import StoreError

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    settings = PageSettings.of_environment()
    try:
        with open_arena(settings) as place:
            tickets = Tickets()
            page = make_app(place.arena, hub=settings.access == "hub", push=place.push, tickets=tickets)
            page.launch(**launch_options(tickets))
    except StoreError as error:
        raise SystemExit(f"The arena does not start: {error}") from None  # better no votes than lost ones
