"""Parts of `MotionPPOTrainer`: models, rollouts, objectives, and what a checkpoint keeps of them."""
