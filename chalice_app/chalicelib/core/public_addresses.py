"""Addresses that a webhook may be sent to: those of the public internet."""

import ipaddress

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address behind a NAT64


def is_public(address: str) -> bool:
    """Return whether packets to this address leave for the public internet, whatever form it is written in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found.sixtofour or found.teredo or found in _TRANSLATED:
            # Tunnels: the address inside counts, and nobody needs them.
            return False
    return found.is_global and not found.is_multicast


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
