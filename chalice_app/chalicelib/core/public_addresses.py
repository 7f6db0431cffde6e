"""Addresses that a webhook may be sent to: those of the public internet."""

import ipaddress

_WITH_IPV4_INSIDE = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
)  # RFC 6052 and 8215: an IPv4 address behind a NAT64; RFC 4291, 2.5.5.1


def is_public(address: str) -> bool:
    """Return whether packets to this address leave for the public internet, whatever form it is written in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif found.sixtofour or found.teredo or any(found in network for network in _WITH_IPV4_INSIDE):
            # Tunnels: the address inside counts, and nobody needs them.
            return False
        elif found.is_site_local:
            return False
    return found.is_global and not found.is_multicast


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
