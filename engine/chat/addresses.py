"""The URL of an endpoint in → its host for messages, and whether it is this machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def host_of(base_url: str) -> str:
    """Host and port: no user, no path, no key."""
    parts = urlsplit(base_url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}"


def is_loopback(base_url: str) -> bool:
    """Whether the URL leads to this machine."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def is_usable(base_url: str) -> bool:
    """Whether it is an http or https URL with a host."""
    try:
        parts = urlsplit(base_url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address that is none
        return False
