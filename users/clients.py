"""Who is on the other end of a request: address and browser, whatever its headers claim."""

import ipaddress
import re

from django.conf import settings

from users.models import USER_AGENT_MAX_LENGTH

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def client(request):
    """Return what is known of the browser behind `request`, as the fields of a ClientModel."""
    return {"ip": client_ip(request), "user_agent": user_agent(request)}


def client_ip(request):
    """
    Return the visitor's IP address as text, or None if the web server knows none.

    It is the connection's, unless TRUSTED_PROXY_COUNT says how many proxies of our own stand
    before this server. Each appends to X-Forwarded-For whom it heard, so that the outermost of
    them wrote the entry of that number from the right. What stands to the left of it, the
    visitor wrote.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    proxies = settings.TRUSTED_PROXY_COUNT
    # Fewer entries than proxies: somebody went around them.
    entry = forwarded[-proxies] if 0 < proxies <= len(forwarded) else ""
    return plain_ip(entry) or plain_ip(request.META.get("REMOTE_ADDR", ""))


def plain_ip(text):
    """Return the IP address in `text` in its one spelling, or None if there is none."""
    try:
        ip = ipaddress.ip_address(text.strip().partition("%")[0])  # "%": an interface of ours
    except ValueError:
        return None
    # A server that listens on both protocols writes 192.0.2.1 as ::ffff:192.0.2.1, and the whole
    # of IPv4 would be one /64.
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def network(ip):
    """
    Return what the throttle takes for one place: `ip` itself, or the /64 that an IPv6 one is in.

    A /64 is the least that one household gets, and any address in it is theirs to choose.
    """
    if ip and ":" in ip:
        return str(ipaddress.ip_interface(f"{ip}/64").network.network_address)
    return ip


def user_agent(request):
    """Return how the browser names itself, cut, without what breaks logs and databases."""
    text = request.headers.get("User-Agent", "")[:USER_AGENT_MAX_LENGTH]
    return CONTROL_CHARACTERS.sub(" ", text)
