"""The text-to-motion Space; everything it does is in `atom_hf.apps.text_to_motion`.

python spaces/text_to_motion/app.py
ATOM_HF_MODEL=me/motiongpt-ipo ATOM_HF_BASE_MODEL=OpenMotionLab/MotionGPT-base python spaces/text_to_motion/app.py
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave their core to other visitors

from atom_hf.apps.text_to_motion.app import launch_options, make_app

if __name__ == "__main__":
    make_app().launch(**launch_options())
