"""Where things stand in HumanML3D's 263 features (22 joints, 20 fps); metres and radians, velocities per frame.

[0] yaw rate (half angle) | [1:3] root velocity x, z | [3] root height | [4:67] 21 local positions |
[67:193] 21 x 6D rotations | [193:259] 22 local velocities | [259:263] foot contacts (joints 7, 10, 8, 11)
"""

FPS = 20.0
FEATURE_DIM = 263

YAW_RATE = slice(0, 1)
ROOT_VELOCITY = slice(1, 3)
ROOT_HEIGHT = slice(3, 4)
POSITIONS = slice(4, 67)
ROTATIONS = slice(67, 193)
VELOCITIES = slice(193, 259)
CONTACTS = slice(259, 263)

CONTACT_JOINTS = (7, 10, 8, 11)  # left ankle, left foot, right ankle, right foot
