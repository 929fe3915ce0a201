"""What commands say while they load a model: nothing, since files on disk are read at once."""


def without_loading_bar() -> None:
    """Switch transformers' bar for weights off; bars of downloads stay."""
    from transformers.utils import logging

    logging.disable_progress_bar()
