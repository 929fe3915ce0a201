"""What servers ask for, in all the forms they do."""

import time
from email.utils import formatdate

import pytest

from atom_hf.events.retry_after import retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after": "-4"}, 0.0),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Someday, GMT"}, None),
    ],
)
def test_seconds(headers, seconds):
    assert retry_after(headers) == seconds


def test_a_date():
    later = formatdate(time.time() + 30, usegmt=True)
    found = retry_after({"retry-after": later})
    assert found is not None and 28 < found <= 30
    assert retry_after({"retry-after": formatdate(time.time() - 30, usegmt=True)}) == 0.0
