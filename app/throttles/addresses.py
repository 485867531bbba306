"""What counts as one client address."""

from ipaddress import IPv6Address, ip_address, ip_network

_IPV6_SITE = 64  # bits: whoever has one IPv6 address has all that share these


def address_key(address: str | None) -> str:
    """The key of a client's address: for IPv6 its site, so that a change of address within it gains nothing."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ip_network((int(known), _IPV6_SITE), strict=False))
    return str(known)
