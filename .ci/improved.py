"""Whether the main job did what the README says: event scores up, beyond chance, no task down, variety kept.

python3 .ci/improved.py outputs/dpo/metrics.json

Numerics differ between machines, so less is asked of a single run than what the table over seeds shows.
"""

import json
import sys
from pathlib import Path

metrics = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
events, variety = metrics["events"], metrics["variety"]
said = {
    "the mean event score rose by at least 0.05": events["overall"]["delta"] >= 0.05,
    "p is below 0.01": events["overall"]["p"] < 0.01,
    "no task fell by more than 0.02": min(found["delta"] for found in events.values()) >= -0.02,
    "the valid share did not fall": metrics["valid"]["delta"] >= 0,
    "at least 90 % of the diversity is kept": variety["Diversity"] >= 0.9,
    "at least 65 % of the MModality is kept": variety["MModality"] >= 0.65,
}
for sentence, holds in said.items():
    print(f"{'yes' if holds else 'NO '}  {sentence}")
sys.exit(not all(said.values()))
