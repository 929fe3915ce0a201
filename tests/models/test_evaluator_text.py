"""Texts as the evaluator reads them, and tagging as HumanML3D did it, with a stand-in for spaCy."""

import sys
import types

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from atom_hf.models.evaluator_config import TextMotionEvaluatorConfig
from atom_hf.models.evaluator_text import TextReader, learn_words, plain_words
from atom_hf.models.parts_of_speech import OTHER, POS_TAGS, _spacy_model, pos_index, split_token, tag_with_spacy
from atom_hf.motion import Caption
from tests.models.evaluator_parts import WORDS

SOS, EOS, UNK, A, MAN, WALKS, JUMPS, LEFT = range(8)


def reader(tagger=None, **options) -> TextReader:
    return TextReader(TextMotionEvaluatorConfig(**{"words": WORDS, **options}), tagger)


def test_tokens_between_start_and_end():
    found = reader().tensors([("a/DET", "man/NOUN", "left/VERB"), ["zebra/NOUN", "walks/X"]])
    assert found.word_ids[0].tolist() == [SOS, A, MAN, LEFT, EOS] + [UNK] * 17
    parts = [POS_TAGS[i] for i in found.pos_ids[0].tolist()]
    assert parts == [OTHER, "DET", "NOUN", "Loc_VIP", OTHER] + [OTHER] * 17
    assert found.word_ids[1, :4].tolist() == [SOS, UNK, WALKS, EOS]
    assert {POS_TAGS[i] for i in found.pos_ids[1].tolist()} == {OTHER}
    assert found.text_lengths.tolist() == [5, 4]


@pytest.mark.parametrize("count", [19, 20, 21, 40])
def test_twenty_words_are_read(count):
    found = reader().tensors([["man/NOUN"] * count])
    kept = min(count, 20)
    assert found.word_ids.shape == (1, 22) and found.text_lengths.tolist() == [kept + 2]
    assert found.word_ids[0].tolist() == [SOS] + [MAN] * kept + [EOS] + [UNK] * (20 - kept)
    assert reader(max_words=5).tensors([["man/NOUN"] * count]).word_ids.shape == (1, 7)


def test_captions():
    caption = Caption("A man walks.", ("a/DET", "man/NOUN", "jumps/VERB"))
    assert reader().tensors([caption]).word_ids[0, :5].tolist() == [SOS, A, MAN, JUMPS, EOS]
    plain = reader(text_input="words")
    assert plain.tensors([caption]).word_ids[0, :5].tolist() == [SOS, A, MAN, WALKS, EOS]
    assert plain.tensors([Caption("", caption.tokens)]).word_ids[0, 3] == JUMPS
    tagged = reader(lambda text: (f"{text.split()[1]}/NOUN",)).tensors([Caption("a man"), "a left"])
    assert tagged.word_ids[:, 1].tolist() == [MAN, LEFT]


def test_plain_words_with_buckets():
    words = reader(text_input="words", hash_buckets=7)
    found = words.tensors(["A MAN, jumps; jumps!", "hops then spins"])
    assert found.word_ids[0, :6].tolist() == [SOS, A, MAN, JUMPS, JUMPS, EOS]
    buckets = found.word_ids[1, 1:4]
    assert ((buckets >= 8) & (buckets < 15)).all() and len(set(buckets.tolist())) > 1
    assert words.numbers("hops", "VERB") == (int(buckets[0]), POS_TAGS.index(OTHER))
    assert reader(text_input="words").tensors(["hops"]).word_ids[0, 1] == UNK
    assert plain_words("The man’s arm — it's up_high 2 times") == "the man's arm it's up high 2 times".split()


def test_learning_a_vocabulary():
    assert learn_words(["b a b", "B c. sos"]) == ["sos", "eos", "unk", "b", "a", "c"]
    assert learn_words(["b a b", "c"], most=1) == ["sos", "eos", "unk", "b"]
    with pytest.raises(ValueError, match="Expected texts to learn a vocabulary from"):
        learn_words(["..."])


@pytest.mark.parametrize(
    ("texts", "error", "text"),
    [
        ([], ValueError, "at least one text"),
        ("a man", TypeError, r"Expected a list of texts, got str; put a single one into \[ \]"),
        (Caption("a man"), TypeError, "got Caption"),
        ({"a man"}, TypeError, "got set"),
        (["a man", ""], ValueError, "Text 1 is empty"),
        (["a man", ()], ValueError, "Text 1 is empty"),
        ([Caption("  ")], ValueError, "Text 0 is empty"),
        (["a man", "?!"], ValueError, r"Text 1 has no words: '\?!'"),
        ([3], TypeError, "Expected text 0 as a string, a Caption, or tokens such as 'walk/VERB', got int"),
        ([("a/DET", 3)], TypeError, "Expected text 0 as a string"),
        ([("a", "man")], ValueError, "Expected tokens such as 'walk/VERB', a word and its part of speech, got 'a'"),
        ([("/DET",)], ValueError, "got '/DET'"),
        ([("man/",)], ValueError, "got 'man/'"),
    ],
)
def test_what_is_no_text(texts, error, text):
    with pytest.raises(error, match=text):
        reader(text_input="words").tensors(texts)


def test_without_a_vocabulary():
    with pytest.raises(ValueError, match="no word vectors, so it embeds motion only"):
        TextReader(TextMotionEvaluatorConfig())


def test_parts_of_speech():
    assert pos_index("man", "NOUN") == 1 and pos_index("man", "PROPN") == pos_index("man", "OTHER") == 14
    assert POS_TAGS[pos_index("walk", "NOUN")] == "Act_VIP"
    assert split_token("and/or/CCONJ") == ("and/or", "CCONJ")


# Tagging -------------------------------------------------------------------------------------------------------------


class Token:
    def __init__(self, text: str, pos: str, lemma: str) -> None:
        self.text, self.pos_, self.lemma_ = text, pos, lemma


@pytest.fixture
def spacy(monkeypatch):
    """A module that tags what is in its table, and remembers what it was asked."""
    table = {
        "walks": ("VERB", "walk"), "men": ("NOUN", "man"), "left": ("VERB", "leave"), "is": ("AUX", "be"),
        ".": ("PUNCT", "."), "2": ("NUM", "2"), "they": ("PRON", "they"), "sidestep": ("NOUN", "sidestep"),
    }  # fmt: skip
    module = types.ModuleType("spacy")
    module.asked = []

    def load(name):
        assert name == "en_core_web_sm"

        def tag(text):
            module.asked.append(text)
            return [Token(word, *table[word]) for word in text.split()]

        return tag

    module.load = load
    monkeypatch.setitem(sys.modules, "spacy", module)
    _spacy_model.cache_clear()
    yield module
    _spacy_model.cache_clear()


def test_tagging_as_humanml3d_did(spacy):
    """Lemmas of nouns and verbs except "left"; hyphens taken out; words of letters only."""
    found = tag_with_spacy("They walks left . 2 men is Side-step")
    assert spacy.asked == ["they walks left . 2 men is sidestep"]
    assert found == ("they/PRON", "walk/VERB", "left/VERB", "man/NOUN", "is/AUX", "sidestep/NOUN")
    assert reader().tensors(["left ."]).word_ids[0, :3].tolist() == [SOS, LEFT, EOS]
    with pytest.raises(ValueError, match=r"Text 0 has no words: '2 \.'"):
        reader().tensors(["2 ."])


def test_without_spacys_model(spacy, monkeypatch):
    def missing(name):
        raise OSError("[E050] Can't find model")

    monkeypatch.setattr(spacy, "load", missing)
    with pytest.raises(
        OSError, match=r"English model en_core_web_sm is not. .*python -m spacy download en_core_web_sm"
    ):
        reader().tensors(["a man"])


def test_without_spacy(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    _spacy_model.cache_clear()
    with pytest.raises(
        ImportError, match=r"spaCy, which finds them, is not installed. .*give captions with their tok"
    ):
        reader().tensors(["a man"])
