"""The colours of the figure, and where its light comes from."""

import numpy as np

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "left": (47, 112, 222),
    "right": (240, 122, 32),
    "torso": (136, 141, 150),
    "neck": (214, 172, 138),
    "head": (228, 188, 154),
    "visor": (44, 40, 46),
}
LIGHT = np.array([-0.55, -0.83], dtype=np.float32)  # on the picture, towards the light


def shade(colour: Colour, light: float) -> Colour:
    """A colour in more or less light.

    Args:
        colour (`Colour`): red, green and blue, 0 to 255.
        light (`float`): below 1 the colour gets darker, above 1 it is mixed with white.

    Returns:
        `Colour`: red, green and blue, 0 to 255.
    """
    red, green, blue = (round(c * light if light <= 1 else c + (255 - c) * (light - 1)) for c in colour)
    return red, green, blue
