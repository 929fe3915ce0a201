"""The chat template of a MotionGPT: rows of a dataset say what the person does, the model's template how it is asked.

[{"role": "user", "content": "a man waves"}, {"role": "assistant", "content": "<motion_id_512>…<motion_id_513>"}]
→ "Generate motion: a man waves</s><motion_id_512>…<motion_id_513></s>"
"""

import json

from .templates import TEXT_TO_MOTION

_CAPTION = "<Caption_Placeholder>"


def chat_template(asked: str) -> str:
    """A chat template, in Jinja, that asks for motions in a model's own words.

    Every message ends with `</s>`, which closes the encoder's input in a T5. A user's message that is one text is a
    caption and is asked for in the template's words, once: a message that begins with them is left as it is. A message
    in parts is the whole prompt. Text never becomes structure: `<…>` in a message turns into `(…)`, full-width
    brackets (which T5's normaliser makes plain) included. Motion tokens stay in what the assistant says, and in parts
    of a message that are motion: `[{"type": "motion", "text": "<motion_id_512>…"}]`.

    Args:
        asked (`str`): prompt with `<Caption_Placeholder>` for the caption, such as
            `"Generate motion: <Caption_Placeholder>"`; without any other placeholder.

    Returns:
        `str`: the template, for `tokenizer.chat_template`.

    Raises:
        ValueError: if the prompt has not exactly one placeholder, that of the caption.
    """
    before, caption, after = asked.partition(_CAPTION)
    if not caption or "_Placeholder" in before + after:
        raise ValueError(f"Expected a prompt with {_CAPTION} as its only placeholder, got {asked!r}.")
    return (
        "{%- macro words(text, motion) -%}"
        "{%- set plain = text | replace('\uff1c', '<') | replace('\ufe64', '<') | replace('\uff1e', '>')"
        " | replace('\ufe65', '>') -%}"
        "{%- for part in plain.split('<') -%}"
        "{%- if loop.first -%}{{ part }}"
        "{%- elif '>' not in part or (motion and part.startswith('motion_id_')) -%}{{ '<' ~ part }}"
        "{%- else -%}{{ '(' ~ part.replace('>', ')', 1) }}"
        "{%- endif -%}{%- endfor -%}{%- endmacro -%}"
        f"{{%- set before, after = {json.dumps(before)}, {json.dumps(after)} -%}}"
        "{%- for m in messages -%}"
        "{%- if m['content'] is string -%}"
        "{%- set asked = m['role'] == 'user'"
        " and not (m['content'].startswith(before) and m['content'].endswith(after)) -%}"
        "{{ before if asked }}{{ words(m['content'], m['role'] == 'assistant') }}{{ after if asked }}"
        "{%- else -%}{%- for part in m['content'] -%}"
        "{{ words(part['text'], m['role'] == 'assistant' or part['type'] == 'motion') }}"
        "{%- endfor -%}{%- endif -%}"
        "{{ eos_token }}"
        "{%- endfor -%}"
    )


CHAT_TEMPLATE = chat_template(TEXT_TO_MOTION.input)
