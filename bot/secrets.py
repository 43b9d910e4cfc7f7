"""Encrypts what is kept in the database and must not be read there: addresses and keys of endpoints.

The keys come from the setting `secret_key`, else from a file in the data folder that is made when it is first needed.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.language import Text

# The package takes 7 MB; it is loaded where something is sealed or unsealed, which most servers never do.
if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

#: The file with the key, in the data folder.
FILE_NAME = "secret-key"
#: Bound to what the keys are for: the same words used elsewhere give other keys.
_PURPOSE = b"kagentbot: what is sealed in the database"

WRONG_KEY = Text(
    "What is encrypted in the database can't be read with this key: set KAGENTBOT_SECRET_KEY to the key that it was "
    "saved with (after a new one and a comma, if it was changed), or bring back the file {file}.",
    "无法用当前密钥读取数据库中的加密内容：请将 KAGENTBOT_SECRET_KEY 设为保存时使用的密钥"
    "（如果换过密钥，把旧密钥写在新密钥和逗号之后），或恢复文件 {file}。",
)
_UNUSABLE = Text(
    "The key file {file} can't be used ({error}): it must be readable and writable by this user, or set "
    "KAGENTBOT_SECRET_KEY.",
    "密钥文件 {file} 无法使用（{error}）：当前用户必须可以读写它，或者设置 KAGENTBOT_SECRET_KEY。",
)


class SecretsError(Exception):
    """Nothing can be encrypted, or read with the keys that there are. `text` is one sentence that says what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Secrets:
    """Seals and unseals short texts. Reads files, so it is to be called off the event loop."""

    def __init__(self, keys: Sequence[str], folder: Path) -> None:
        """`keys`: those of the setting, the one to encrypt with first; () takes the file in `folder`."""
        self._keys = tuple(keys)
        self._file = folder / FILE_NAME

    def seal(self, plain: str) -> str:
        """Encrypt. Raises `SecretsError`."""
        return self._open(make=True).encrypt(plain.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt with whichever key fits. Raises `SecretsError`."""
        from cryptography.fernet import InvalidToken

        try:
            return self._open(make=False).decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeDecodeError):
            raise self._wrong() from None

    def is_current(self, sealed: str) -> bool:
        """Whether it is encrypted with the first key. False: `seal` it again, so that the older key can go."""
        from cryptography.fernet import InvalidToken

        try:
            _fernet(self._secrets(make=False)[0]).decrypt(sealed.encode())
        except (InvalidToken, IndexError):
            return False
        return True

    def _open(self, *, make: bool) -> MultiFernet:
        from cryptography.fernet import MultiFernet

        found = self._secrets(make=make)
        if not found:
            raise self._wrong()
        return MultiFernet([_fernet(secret) for secret in found])

    def _secrets(self, *, make: bool) -> tuple[str, ...]:
        if self._keys:
            return self._keys
        try:
            return _kept(self._file, make=make)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise SecretsError(_filled(_UNUSABLE, file=self._file, error=reason)) from None

    def _wrong(self) -> SecretsError:
        return SecretsError(_filled(WRONG_KEY, file=self._file))


def _fernet(secret: str) -> Fernet:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # What people set is any long random text, as `openssl rand` gives it; Fernet wants 32 bytes in its own alphabet.
    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _kept(file: Path, *, make: bool) -> tuple[str, ...]:
    """The keys in the file, one a line; with `make` it is made, readable by this user only."""
    try:
        found = tuple(file.read_text("ascii").split())
    except FileNotFoundError:
        found = ()
    if found or not make:
        return found
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
        made.write(secrets.token_urlsafe(32) + "\n")
        made.flush()
        os.fsync(made.fileno())
    try:
        # Unlike a replacement, a link never takes away what another process has just made and used.
        file.hardlink_to(temporary)
    except FileExistsError:
        pass
    except OSError:
        # A file system without links.
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    return tuple(file.read_text("ascii").split())


def _filled(text: Text, **fields: object) -> Text:
    return Text(text.say("en", **fields), text.say("zh", **fields))
