"""What visitors may ask for."""

import pytest

from atom_hf.apps.text_to_motion.request import Caps, Request, RequestError


def read(prompt="a person jumps", samples=1, seed=0, temperature=0.7, seconds=9.8):
    return Request.read(prompt, samples, seed, temperature, seconds, Caps(prompt=40, samples=4))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  a person\n jumps\t twice ", "a person jumps twice"),
        ("jumps\x00twice\u202e\u200b", "jumps twice"),
        ("</script><b>jumps</b>", "</script><b>jumps</b>"),  # stays text; the page escapes it
        ("🏃 一个人跳", "🏃 一个人跳"),
        ("cafe\u0301", "café"),
        ("x" * 40, "x" * 40),
        ("\ud800 jumps", "jumps"),
    ],
)
def test_prompts(typed, kept):
    assert read(typed).prompt == kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": ""}, "Please say what the person does, such as “a person jumps twice”"),
        ({"prompt": "\x00\u200b \n"}, "Please say what the person does"),
        ({"prompt": "x" * 10_000}, "a prompt of at most 40 letters, got 10,000; please shorten it"),
        ({"prompt": None}, "a prompt as text, got NoneType"),
        ({"samples": 0}, "Expected 1 to 4 motions, got 0"),
        ({"samples": 1000}, "Expected 1 to 4 motions, got 1000"),
        ({"samples": 1.5}, "Expected 1 to 4 motions, got 1.5"),
        ({"samples": True}, "Expected 1 to 4 motions, got True"),
        ({"seed": -1}, "a whole number from 0 to 4294967295 as seed, got -1"),
        ({"seed": None}, "as seed, got nothing"),
        ({"seed": 2**32}, "as seed, got 4294967296"),
        ({"seed": float("nan")}, "as seed, got nan"),
        ({"temperature": -0.1}, "a temperature from 0 to 2, got -0.1"),
        ({"temperature": float("inf")}, "a temperature from 0 to 2, got inf"),
        ({"temperature": "hot" * 100}, "a temperature from 0 to 2, got 'hothot.*…"),
        ({"seconds": 0}, "a length in seconds from 1 to 9.8, got 0"),
        ({"seconds": 60}, "a length in seconds from 1 to 9.8, got 60"),
    ],
)
def test_refused(options, message):
    with pytest.raises(RequestError, match=message):
        read(**options)


@pytest.mark.parametrize(("seconds", "frames"), [(1, 20), (1.1, 20), (9.8, 196), (5.2, 104)])
def test_length_in_whole_codes(seconds, frames):
    assert read(seconds=seconds).max_frames == frames


def test_numbers_as_pages_send_them():
    request = read(samples=2.0, seed=7.0, temperature=0)
    assert (request.samples, request.seed, request.temperature) == (2, 7, 0.0)
    assert isinstance(request.samples, int) and isinstance(request.seed, int)
