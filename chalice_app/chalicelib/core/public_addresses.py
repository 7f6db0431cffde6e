"""Addresses of the public internet, to which webhooks may be sent."""

import ipaddress

_UNICAST = ipaddress.IPv6Network("2000::/3")
"""IANA, "Internet Protocol Version 6 Address Space": all of the internet's addresses. The rest is private, or an IPv4
address in one of its forms (RFC 2765, 4291, 6052, 8215)."""
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")  # RFC 9637; newer than the library's list


def is_public(address: str) -> bool:
    """Return whether packets to this address go to the public internet, in whatever form it is written."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found.sixtofour or found.teredo or found not in _UNICAST or found in _DOCUMENTATION:
            # Tunnels: the address inside would count, and nobody needs them.
            return False
    return found.is_global and not found.is_multicast


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
