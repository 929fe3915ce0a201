"""Votes on their way to the Hub, on a schedule; whatever goes wrong there, nobody is kept from voting.

push = ScheduledPush(arena.export, "me/motion-votes", every=300)
push.status()      →  PushStatus(pushed_at=…, error=None, failures=0)
push.stop()        a last time, when the server ends
"""

import logging
import re
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..data.made_from import digest_of

_log = logging.getLogger(__name__)
_FIRST_WAIT = 30.0  # seconds after the first failure; then twice as long each time, up to the schedule
_TOKEN = re.compile(r"hf_\w+|(?<=Bearer )\S+")


class PushStatus(NamedTuple):
    """How the last pushes went.

    Args:
        pushed_at (`float`, *optional*): when votes last arrived, seconds since 1970.
        error (`str`, *optional*): what went wrong the last time; None if nothing did.
        failures (`int`): failures since votes last arrived.
    """

    pushed_at: float | None
    error: str | None
    failures: int


class ScheduledPush:
    """Exports the votes every few minutes and uploads them where something has changed.

    Args:
        export (`Callable`): writes the votes into a new folder, such as [`Arena.export`].
        repo_id (`str`): dataset repository, such as `"me/motion-votes"`; made if it is not there.
        every (`float`, *optional*, defaults to 300.0): seconds between two pushes.
        token (`str`, *optional*): access token; the stored one without it. It is written nowhere.
        private (`bool`, *optional*, defaults to `True`): who may see a new repository.
        options (`Mapping`, *optional*): for `export`, such as `{"without_flagged": True}`.
        api (`HfApi`, *optional*): another client.
        start (`bool`, *optional*, defaults to `True`): whether to begin at once.

    Raises:
        ValueError: if the time is too short.
    """

    def __init__(
        self,
        export: Callable[..., Any],
        repo_id: str,
        *,
        every: float = 300.0,
        token: str | None = None,
        private: bool = True,
        options: Mapping[str, Any] | None = None,
        api: Any = None,
        start: bool = True,
    ) -> None:
        if not every >= 1:
            raise ValueError(f"every is a number of seconds, at least 1, got {every}.")
        self.repo_id, self.every = repo_id, every
        self._export, self._private, self._options = export, private, dict(options or {})
        self._token, self._api = token, api
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._pushed: str | None = None
        self._status = PushStatus(None, None, 0)
        self._thread = threading.Thread(target=self._run, name="push of votes", daemon=True)
        if start:
            self._thread.start()

    def status(self) -> PushStatus:
        """How the last pushes went, for the page to show.

        Returns:
            [`PushStatus`]: without any token in it.
        """
        return self._status

    def push(self) -> bool:
        """Push now, unless nothing has changed.

        Returns:
            `bool`: whether all votes are there; if not, `status` says why. It raises nothing.
        """
        with self._lock:
            try:
                self._push()
            except Exception as error:  # whatever it is, voting goes on
                failures = self._status.failures + 1
                text = self._plain(error)
                _log.warning("Votes were not pushed to %s (%d. failure): %s", self.repo_id, failures, text)
                self._status = PushStatus(self._status.pushed_at, text, failures)
                return False
            self._status = PushStatus(time.time(), None, 0)
            return True

    def stop(self, last: bool = True) -> bool:
        """End the schedule.

        Args:
            last (`bool`, *optional*, defaults to `True`): push a last time.

        Returns:
            `bool`: whether all votes are there; False without a last push.
        """
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)
        return self.push() if last else False

    def _run(self) -> None:
        wait = self.every
        while not self._ended.wait(wait):
            good = self.push()
            wait = self.every if good else min(self.every, _FIRST_WAIT * 2 ** min(self._status.failures - 1, 20))

    def _push(self) -> None:
        with tempfile.TemporaryDirectory(prefix="votes-") as name:
            folder = Path(name) / "votes"
            self._export(folder, **self._options)
            files = [path for path in folder.rglob("*") if path.is_file()]
            digest = digest_of(files, folder)
            if digest == self._pushed:
                return
            if self._api is None:
                from huggingface_hub import HfApi

                self._api = HfApi(token=self._token)
            self._api.create_repo(self.repo_id, repo_type="dataset", private=self._private, exist_ok=True)
            self._api.upload_folder(
                repo_id=self.repo_id, repo_type="dataset", folder_path=str(folder), commit_message="Add votes"
            )
            self._pushed = digest

    def _plain(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        if self._token:
            text = text.replace(self._token, "hf_…")
        return " ".join(_TOKEN.sub("hf_…", text).split())[:300]
