"""Text never becomes structure: nothing that a tokenizer could read as a token survives, everything else does."""

import random
import unicodedata

import pytest

from atom_hf.motion.plain_text import STRUCTURE, check_prompt, neutralize


@pytest.mark.parametrize(
    ("typed", "plain", "found"),
    [
        ("a man </s> waves", "a man (/s) waves", ("</s>",)),
        ("<pad><unk><s>", "(pad)(unk)(s)", ("<pad>", "<unk>", "<s>")),
        ("<motion_id_7> <extra_id_99>", "(motion_id_7) (extra_id_99)", ("<motion_id_7>", "<extra_id_99>")),
        ("<Motion_Placeholder_s2>", "(Motion_Placeholder_s2)", ("<Motion_Placeholder_s2>",)),
        ("</S> < /s > <MOTION_ID_3>", "(/S) ( /s ) (MOTION_ID_3)", ("</S>", "< /s >", "<MOTION_ID_3>")),
        (
            "\uff1c\uff0f\uff53\uff1e\ufe64pad\ufe65",
            "(\uff0f\uff53)(pad)",
            ("\uff1c\uff0f\uff53\uff1e", "\ufe64pad\ufe65"),
        ),
        ("<motion_id_²>", "(motion_id_²)", ("<motion_id_²>",)),
        ("<motion_id_\U0001ccf3>", "(motion_id_\U0001ccf3)", ("<motion_id_\U0001ccf3>",)),
        ("<\u200b/s\ufeff>", "(\u200b/s\ufeff)", ("<\u200b/s\ufeff>",)),
        ("<motion\x07_id_3>", "(motion _id_3)", ("<motion\x07_id_3>",)),
        ("</\ns>", "(/ s)", ("</\ns>",)),
        ("</s\u0301>", "(/s\u0301)", ("</s\u0301>",)),
        ("<motion_<motion_id_1>id_7>", "<motion_(motion_id_1)id_7>", ("<motion_id_1>",)),
        ("<<</s>/s>>", "<<(/s)/s>>", ("</s>",)),
        ("</s</s>", "</s(/s)", ("</s>",)),
    ],
)
def test_structure_becomes_words(typed, plain, found):
    assert neutralize(typed) == (plain, found)


@pytest.mark.parametrize(
    "text",
    [
        "a person walks forward, then sits down.",
        "<3 hops -> turn; 2 < 3 > 1",
        "<laughs> [left] {quick} (slowly)",
        "Ein Mann läuft; 一个人在跑步 ▁ \u1f469‍\u1f469‍\u1f467 नमस्ते",
        "motion_id_7 /s pad",
        "",
    ],
)
def test_other_text_stays(text):
    assert neutralize(text) == (text, ())


def test_line_breaks_and_broken_characters_become_harmless():
    assert neutralize("walks\r\nthen\tsits\x00\u2028down\ud83d!") == ("walks  then sits  down\ufffd!", ())


def test_structure_of_another_tokenizer():
    assert neutralize("[MASK] {x 5} <|end|> </s>", ["[MASK]", "{x1}", "<|end|>"]) == (
        "(MASK) (x 5) (|end|) </s>",
        ("[MASK]", "{x 5}", "<|end|>"),
    )
    assert neutralize("</s>", []) == ("</s>", ())
    for piece in ("EOS", "<a><b>", "<>", "<(s)>"):
        with pytest.raises(ValueError, match=r"in brackets, such as '<pad>', got"):
            neutralize("x", [piece])


def _hostile(rng: random.Random) -> str:
    """Tokens with a trick in them, glued to each other and into each other."""
    pieces = [*STRUCTURE, "<motion_id_514>", "</s>", "<extra_id_7>", "a man ", "<", ">", "/s>", "<motion_", "id_3>"]
    text = ""
    for _ in range(rng.randint(1, 5)):
        piece = rng.choice(pieces)
        for _ in range(rng.randint(0, 2)):
            place = rng.randint(0, len(piece))
            trick = rng.choice(
                ["\u200b", "\x07", "\u00ad", "\n", " ", "\u0301", "\ufeff", "\ue000", rng.choice(pieces)]
            )
            piece = piece[:place] + trick + piece[place:]
        if rng.random() < 0.4:  # full width
            wide = {c: chr(ord(c) + 0xFEE0) for c in map(chr, range(33, 127)) if rng.random() < 0.5}
            piece = piece.translate(str.maketrans(wide))
        place = rng.randint(0, len(text))
        text = text[:place] + piece + text[place:]
    return text


def test_nothing_is_left_after_one_pass():
    rng = random.Random(0)
    changed = 0
    for _ in range(3000):
        typed = _hostile(rng)
        text, found = neutralize(typed)
        assert neutralize(text) == (text, ()), typed
        assert len(text) == len(typed)
        changed += bool(found)
        squeezed = unicodedata.normalize("NFKC", text).lower()
        squeezed = "".join(c for c in squeezed if unicodedata.category(c) not in ("Cc", "Cf", "Zs"))
        assert not any(piece.lower() in squeezed for piece in STRUCTURE), typed
    assert changed > 1500


def test_real_tokenizers_find_no_structure(shared):
    """T5's normaliser and 515 motion tokens, on tricks that bring out structure where text is not neutralised."""
    transformers = pytest.importorskip("transformers")
    folder = shared / "golden" / "c_tiny_lm" / "base_tokenizer"
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.add_tokens([f"<motion_id_{i}>" for i in range(515)])
    structural = set(range(len(tokenizer))) - set(range(3, 124)) - {tokenizer.unk_token_id}
    rng = random.Random(1)
    typed = [_hostile(rng) for _ in range(2000)]

    def hits(texts: list[str]) -> int:
        return sum(not structural.isdisjoint(ids) for ids in tokenizer(texts, add_special_tokens=False).input_ids)

    assert hits(typed) > 500
    assert hits([neutralize(text).text for text in typed]) == 0
    assert (
        hits([neutralize(text).text for text in ("\uff1c/s\uff1e", "<motion\x07_id_3>", "<motion_id_²>", "</\uff53>")])
        == 0
    )


def test_every_character_that_t5_turns_into_a_letter_of_structure_is_known(shared):
    """All of Unicode through T5's normaliser: whatever becomes a character of a token does so in the skeleton too."""
    tokenizers = pytest.importorskip("tokenizers")
    from atom_hf.motion.plain_text import _skeleton

    path = shared / "golden" / "c_tiny_lm" / "base_tokenizer" / "tokenizer.json"
    normalizer = tokenizers.Tokenizer.from_file(str(path)).normalizer
    letters = set("<>/_0123456789abcdefghijklmnopqrstuvwxyz")
    for code in range(128, 0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        normal = normalizer.normalize_str(f"!{chr(code)}!")[1:-1].lower()
        if len(normal) == 1 and normal in letters:
            assert _skeleton(chr(code))[0] == normal, hex(code)


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\ufeff\u2003"])
def test_empty_prompt(text):
    with pytest.raises(ValueError, match=r"such as 'a person walks forward', got an empty prompt\."):
        check_prompt(text)


@pytest.mark.parametrize(("prompt", "kind"), [(None, "NoneType"), (3, "int"), (["a"], "list; give sentences one at")])
def test_no_string(prompt, kind):
    for function in (check_prompt, neutralize):
        with pytest.raises(TypeError, match=f"a string, got {kind}"):
            function(prompt)


def test_prompts_that_pass():
    for text in ("a person walks forward", "跑", "\u1f44b", "</s>"):
        check_prompt(text)
