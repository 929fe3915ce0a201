"""How long a server asks to wait before the next try."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds by `Retry-After-Ms` or `Retry-After`, which is a number or a date (RFC 9110, 10.2.3).

    Args:
        headers (`Mapping[str, str]`): of a response; names in lower case or in any.

    Returns:
        `float` or `None`: seconds, at least 0; None where nothing readable is asked.
    """
    asked = headers.get("retry-after", "").strip()
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        elif asked.endswith("GMT"):
            seconds = parsedate_to_datetime(asked).timestamp() - time.time()
        else:
            seconds = float(asked)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
