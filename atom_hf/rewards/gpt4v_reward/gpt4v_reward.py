"""What `evaluate.load(GPT4V_REWARD)` runs; it can be copied anywhere that has `atom_hf[eval,vlm]` installed."""

from atom_hf.rewards.metric import GPT4VReward as GPT4VReward
