"""What the address of a host says about who can reach it."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, reached by its own programs only.

    Args:
        host: an IP address without brackets, or a name. No name but ``localhost`` counts: another
            one may lead anywhere.
    """
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def is_unspecified(host: str) -> bool:
    """Tell whether a host is ``0.0.0.0`` or ``::``: all addresses to listen on, none to reach."""
    address = _address(host)
    return address is not None and address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    # Releases of Python differ in what they say about IPv4 in IPv6.
    return getattr(address, "ipv4_mapped", None) or address
