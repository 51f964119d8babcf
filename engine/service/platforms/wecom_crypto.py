"""WeCom's envelopes: signed, encrypted text in → its plaintext, and the other way round.

As WeCom documents it: msg_signature is the SHA-1 of token, timestamp, nonce and ciphertext, sorted
and joined. The text is AES-256-CBC with IV = key[:16] and PKCS#7 padding to 32 bytes; it holds 16
random bytes, the message's length in 4 bytes (big-endian), the message and the receiver's id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from engine.errors import InputError

BLOCK = 32
"""Bytes to which the plaintext is padded; twice the cipher's own block."""
_RANDOM = 16
_HEAD = _RANDOM + 4
_KEY = re.compile(r"[A-Za-z0-9]{43}")


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """The signature of an envelope, in hex."""
    joined = "".join(sorted((token, timestamp, nonce, encrypted)))
    return hashlib.sha1(joined.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def is_signed(token: str, timestamp: str, nonce: str, encrypted: str, given: str) -> bool:
    """Whether a signature is the envelope's, compared in constant time; never without a token."""
    wanted = signature(token, timestamp, nonce, encrypted)
    same = hmac.compare_digest(wanted.encode(), given.lower().encode("utf-8", "surrogatepass"))
    return same and bool(token)


def is_key(text: str) -> bool:
    """Whether a text can be an EncodingAESKey: 43 letters and digits."""
    return _KEY.fullmatch(text) is not None


class Envelopes:
    """Opens and seals the envelopes of one bot."""

    def __init__(self, aes_key: str, receive_id: str) -> None:
        """Take the EncodingAESKey and the id for which envelopes must be meant, or empty.

        Raises:
            InputError: the key is none; it isn't told.
        """
        if not is_key(aes_key):
            raise InputError(
                f"An EncodingAESKey has 43 letters and digits, this one {len(aes_key)} characters."
                " Copy it again from WeCom's callback settings."
            )
        key = base64.b64decode(aes_key + "=")
        self._cipher = Cipher(AES(key), CBC(key[:16]))
        self._receive_id = receive_id.encode()

    def open(self, encrypted: str) -> str:
        """The message in an envelope.

        Raises:
            InputError: it was sealed with another key, or for another receiver. What exactly is
                wrong isn't told, so that nobody can find out a key by asking.
        """
        try:
            sealed = base64.b64decode(encrypted, validate=True)
            decryptor = self._cipher.decryptor()
            padded = decryptor.update(sealed) + decryptor.finalize()
            unpadder = PKCS7(8 * BLOCK).unpadder()
            plain = unpadder.update(padded) + unpadder.finalize()
            end = _HEAD + int.from_bytes(plain[_RANDOM:_HEAD], "big")
            meant = hmac.compare_digest(plain[end:], self._receive_id)
            if end > len(plain) or not meant:
                raise ValueError
            return plain[_HEAD:end].decode()
        except (ValueError, binascii.Error) as error:
            raise InputError(
                "WeCom's message can't be decrypted. Compare EncodingAESKey and receive_id in the"
                " bots file with WeCom's callback settings."
            ) from error

    def seal(self, message: str) -> str:
        """The envelope around a message, in Base64."""
        body = message.encode()
        plain = secrets.token_bytes(_RANDOM) + len(body).to_bytes(4, "big") + body
        padder = PKCS7(8 * BLOCK).padder()
        padded = padder.update(plain + self._receive_id) + padder.finalize()
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
