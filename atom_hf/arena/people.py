"""Who labels: names become keyed hashes, what proves that somebody is who he was is kept as a hash as well.

people.sign_in("ann")                      →  Session(key="…", code="K7Q2-MX4D-9TWB")      a name that was free
people.sign_in("ann", "K7Q2-MX4D-9TWB")    →  Session(key="…", code=None)                  on another day
people.require(key)                        →  "5f0c…", the labeller in the store and in exports
"""

import base64
import hashlib
import hmac
import os
import secrets
import sqlite3
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from .errors import NotAllowed, StoreError
from .limits import Limits
from .queue import gap, recount
from .settings import Settings
from .store import Store
from .text import typed

SECRET = "ATOM_HF_ARENA_SECRET"  # environment variable; names are hashed with it
ADMIN = "ATOM_HF_ARENA_ADMIN"  # environment variable; opens the page for whoever runs the arena
_DAYS = 30 * 86400.0
_LONGEST_NAME = 60
_WRONG = "Name or code is wrong. Whoever has lost the code of a name takes another name."
_ALIKE = str.maketrans("01", "OI")  # what is easily mistaken; codes have neither of these digits


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in.

    Args:
        key (`str`): what the other calls take. It stays on the server or in the browser of this person.
        code (`str`, *optional*): of a name that was taken just now: to be shown once, for the next sign-in.
        consented (`bool`): whether consent to the present text was given.
    """

    key: str = field(repr=False)  # what is printed may end in a log
    code: str | None = field(repr=False)
    consented: bool


def load_secret(folder: Path) -> bytes:
    """The secret that names are hashed with: of the environment, or of a file that only its owner can read.

    Args:
        folder (`Path`): of the store; the file is made where there is none.

    Returns:
        `bytes`: the secret.

    Raises:
        StoreError: if it is too short, or cannot be read or written.
    """
    if given := os.environ.get(SECRET):
        if len(given) < 16:
            raise StoreError(f"{SECRET} has {len(given)} letters; expected at least 16, so that names stay hidden.")
        return given.encode()
    path = folder / "secret"
    try:
        if not path.exists():
            fresh = folder / f".secret-{secrets.token_hex(8)}"
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(handle, secrets.token_hex(32).encode())
                os.fsync(handle)
            finally:
                os.close(handle)
            try:
                os.link(fresh, path)  # of two servers that start at once, one is first
            except FileExistsError:
                pass
            except OSError:  # no such links on this disk
                os.replace(fresh, path)
            fresh.unlink(missing_ok=True)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise StoreError(f"{path} cannot be read or written ({error.strerror}); names are hashed with it.") from error
    if len(secret) < 16:
        raise StoreError(f"{path} is too short; put back the file that this arena began with, or names change.")
    return secret


class People:
    """Sign-in, sessions, consent.

    Args:
        store ([`Store`]): the store.
        secret (`bytes`): names are hashed with it.
        admin_secret (`str`, *optional*): opens the page of whoever runs the arena; nothing does without it.
    """

    def __init__(self, store: Store, secret: bytes, admin_secret: str | None) -> None:
        self._store, self._secret = store, secret
        self._admin = admin_secret.encode() if admin_secret else None
        self._tries = Limits(12, 8)  # wrong codes of a name, or wrong secrets of an address

    def labeller(self, name: str, provider: str = "name") -> str:
        """The pseudonym of a name.

        Args:
            name (`str`): as typed; case and blanks make no difference.
            provider (`str`, *optional*, defaults to `"name"`): who vouches for it.

        Returns:
            `str`: 24 hexadecimal digits, the same for the same name.

        Raises:
            AnswerError: if it is no name.
        """
        plain = unicodedata.normalize("NFKC", typed(name, "a name", _LONGEST_NAME)).casefold()
        return hmac.new(self._secret, f"{provider}:{plain}".encode(), hashlib.sha256).hexdigest()[:24]

    def sign_in(self, name: str, code: str | None, settings: Settings, now: float) -> Session:
        """Sign somebody in by name and code.

        Args:
            name (`str`): a name.
            code (`str`, *optional*): the name's code; none for a name that is free.
            settings ([`Settings`]): of the campaign.
            now (`float`): seconds since 1970.

        Returns:
            [`Session`]: with a new code if the name was free.

        Raises:
            NotAllowed: if the code is wrong, or names have to be invited.
            TooFast: after many tries.
        """
        if settings.access == "hub":
            raise NotAllowed("Please sign in with Hugging Face.")
        labeller = self.labeller(name)
        if code is not None and code.strip():
            self._tries.take(labeller)
            rows = self._store.read("SELECT code FROM labellers WHERE id = ?", (labeller,))
            right = rows[0][0] if rows and rows[0][0] else self._code_hash("")
            if not hmac.compare_digest(right, self._code_hash(code)):
                raise NotAllowed(_WRONG)
            return self._come_back(labeller, settings, now)
        if settings.access == "codes":
            raise NotAllowed("Please type the code that you were invited with.")
        return self._take_name(labeller, settings, now)

    def sign_in_verified(self, name: str, provider: str, settings: Settings, now: float) -> Session:
        """Sign in somebody whom another service vouches for, such as Hugging Face.

        Args:
            name (`str`): name there.
            provider (`str`): which service.
            settings ([`Settings`]): of the campaign.
            now (`float`): seconds since 1970.

        Returns:
            [`Session`]: without a code.
        """
        labeller = self.labeller(name, provider)
        with self._store.write() as db:
            _add(db, labeller, None, settings, now)
        return self._come_back(labeller, settings, now)

    def invite(self, name: str, settings: Settings, now: float) -> str:
        """A code for a name; a code that it had before is no longer good.

        Args:
            name (`str`): a name.
            settings ([`Settings`]): of the campaign.
            now (`float`): seconds since 1970.

        Returns:
            `str`: the code. It cannot be shown again.
        """
        labeller, code = self.labeller(name), _new_code()
        with self._store.write() as db:
            _add(db, labeller, None, settings, now)
            db.execute("UPDATE labellers SET code = ? WHERE id = ?", (self._code_hash(code), labeller))
            db.execute("DELETE FROM sessions WHERE labeller = ?", (labeller,))
        return code

    def require(self, key: str | Session, settings: Settings, now: float, *, consent: bool = True) -> str:
        """The labeller of a session.

        Args:
            key (`str` or [`Session`]): of the session.
            settings ([`Settings`]): of the campaign.
            now (`float`): seconds since 1970.
            consent (`bool`, *optional*, defaults to `True`): whether consent is needed.

        Returns:
            `str`: pseudonym.

        Raises:
            NotAllowed: if nobody is signed in by it, consent is missing, or the labeller is blocked.
        """
        key = key.key if isinstance(key, Session) else key
        rows = self._store.read(
            "SELECT labeller FROM sessions WHERE key = ? AND ends > ?", (_session_hash(key), now)
        )  # fmt: skip
        if not rows:
            raise NotAllowed("Please sign in; nothing was saved.")
        labeller = str(rows[0][0])
        blocked = self._store.read(
            "SELECT blocked FROM blocks WHERE labeller = ? ORDER BY number DESC LIMIT 1", (labeller,)
        )
        if blocked and blocked[0][0]:
            raise NotAllowed("You cannot vote here any more; please ask whoever runs this arena.")
        if consent and not self.consented(labeller, settings):
            raise NotAllowed("Please agree to how your answers are used first.")
        return labeller

    def consented(self, labeller: str, settings: Settings) -> bool:
        """Whether a labeller agrees to the present text.

        Args:
            labeller (`str`): pseudonym.
            settings ([`Settings`]): with the text.

        Returns:
            `bool`: the last answer counts.
        """
        rows = self._store.read(
            "SELECT version, given FROM consents WHERE labeller = ? ORDER BY number DESC LIMIT 1", (labeller,)
        )
        return bool(rows and rows[0] == (settings.consent_version, 1))

    def consent(self, labeller: str, given: bool, settings: Settings, now: float) -> None:
        """Write down that a labeller agrees, or no longer does.

        Args:
            labeller (`str`): pseudonym.
            given (`bool`): whether consent is given.
            settings ([`Settings`]): with the text.
            now (`float`): seconds since 1970.
        """
        with self._store.write() as db:
            db.execute(
                "INSERT INTO consents (labeller, version, given, at) VALUES (?, ?, ?, ?)",
                (labeller, settings.consent_version, given, now),
            )
            if not given or db.execute("SELECT 1 FROM votes WHERE labeller = ? LIMIT 1", (labeller,)).fetchone():
                recount(db, settings)

    def require_admin(self, secret: str, address: str | None) -> None:
        """See that somebody knows the secret.

        Args:
            secret (`str`): what was typed.
            address (`str`, *optional*): from where, to limit guesses.

        Raises:
            NotAllowed: if it is wrong, or none was set.
            TooFast: after many tries.
        """
        self._tries.take(f"admin {address}")
        if self._admin is None:
            raise NotAllowed(f"This page is closed; whoever runs the arena opens it with a secret, in {ADMIN}.")
        if not isinstance(secret, str) or not hmac.compare_digest(self._admin, secret.encode("utf-8", "replace")):
            raise NotAllowed("The secret is wrong.")

    def _take_name(self, labeller: str, settings: Settings, now: float) -> Session:
        code = _new_code()
        with self._store.write() as db:
            if not _add(db, labeller, self._code_hash(code), settings, now):
                raise NotAllowed("This name is taken. If it is yours, type its code too; otherwise take another name.")
            key = _begin(db, labeller, now)
        return Session(key, code, False)

    def _come_back(self, labeller: str, settings: Settings, now: float) -> Session:
        with self._store.write() as db:
            key = _begin(db, labeller, now)
        return Session(key, None, self.consented(labeller, settings))

    def _code_hash(self, code: str) -> str:
        plain = "".join(letter for letter in code.upper() if letter.isalnum()).translate(_ALIKE)
        return hmac.new(self._secret, f"code:{plain}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _add(db: sqlite3.Connection, labeller: str, code: str | None, settings: Settings, now: float) -> bool:
    added = db.execute(
        "INSERT OR IGNORE INTO labellers VALUES (?, ?, ?, ?, ?)",
        (labeller, code, now, gap(settings.gold_every), gap(settings.repeat_every)),
    )
    return added.rowcount == 1


def _begin(db: sqlite3.Connection, labeller: str, now: float) -> str:
    """A new session; gives its key, of which a hash is kept."""
    key = secrets.token_urlsafe(32)
    db.execute("DELETE FROM sessions WHERE ends < ?", (now,))
    db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_session_hash(key), labeller, now + _DAYS))
    return key


def _new_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(10)).decode()[:12]
    return "-".join(letters[i : i + 4] for i in range(0, 12, 4))


def _session_hash(key: object) -> str:
    return hashlib.sha256(str(key)[:200].encode("utf-8", "replace")).hexdigest()
