"""Angles of an arm whose hand is to be at a point: what a key pose says by place instead of by angles."""

from math import acos, asin, atan2, cos, degrees, hypot, radians, sin, sqrt

from .body import Body


def reach(body: Body, outward: float, up: float, ahead: float, swivel: float = 25.0) -> dict[str, float]:
    """Angles that bring a wrist to a point beside the shoulder.

    Args:
        body ([`Body`]): lengths of the arm.
        outward (`float`): metres from the shoulder away from the body's middle, in the chest's frame.
        up (`float`): metres above the shoulder.
        ahead (`float`): metres in front of the shoulder.
        swivel (`float`): degrees that the elbow is raised sideways from hanging below the line of shoulder and hand.

    Returns:
        `dict[str, float]`: `swing`, `spread`, `turn` and `elbow`, degrees; a point out of reach is approached as far
            as the arm goes.
    """
    a, b = body.upper_arm, body.forearm
    distance = sqrt(outward**2 + up**2 + ahead**2)
    reached = min(max(distance, 0.3 * (a + b)), 0.985 * (a + b))
    direction = (outward / distance, up / distance, ahead / distance)
    along = (a * a - b * b + reached * reached) / (2 * reached)
    across = sqrt(max(a * a - along * along, 0.0))
    # The elbow hangs: downwards across the line from shoulder to hand, turned outwards by the swivel.
    x, y, z = direction
    low = (x * y, y * y - 1.0, z * y)
    size = sqrt(sum(c * c for c in low))
    low = (low[0] / size, low[1] / size, low[2] / size) if size > 1e-3 else (0.0, 0.0, -1.0)
    out = (y * low[2] - z * low[1], z * low[0] - x * low[2], x * low[1] - y * low[0])
    if out[0] < 0:
        out = (-out[0], -out[1], -out[2])
    angle = radians(swivel)
    pole = tuple(cos(angle) * p + sin(angle) * q for p, q in zip(low, out, strict=True))
    elbow = [along * d + across * p for d, p in zip(direction, pole, strict=True)]
    upper = [c / a for c in elbow]
    fore = [(reached * d - e) / b for d, e in zip(direction, elbow, strict=True)]
    spread = asin(max(-1.0, min(1.0, upper[0])))
    swing = atan2(upper[2], -upper[1])
    # The forearm in the frame of the upper arm.
    fy = fore[1] * cos(swing) - fore[2] * sin(swing)
    fz = fore[1] * sin(swing) + fore[2] * cos(swing)
    local_x = fore[0] * cos(spread) + fy * sin(spread)
    local_y = -fore[0] * sin(spread) + fy * cos(spread)
    turn = atan2(-local_x, fz)
    elbow_angle = acos(max(-1.0, min(1.0, -local_y))) if hypot(local_x, fz) > 1e-9 else 0.0
    return {
        "swing": degrees(swing),
        "spread": degrees(spread),
        "turn": degrees(turn),
        "elbow": degrees(elbow_angle),
    }
