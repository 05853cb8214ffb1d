"""Who is on the other end of a request: IP address and browser, whatever its headers claim."""

import ipaddress
import re
from contextvars import ContextVar

import ua_parser
from django.conf import settings

USER_AGENT_MAX_LENGTH = 255
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# The network of the request that this thread answers, for what is called without the request.
client_network = ContextVar("client_network", default=None)


def set_client_network(get_response):
    """Middleware that remembers the network of each request."""

    def middleware(request):
        # One customer gets up to a /48, and would be 65,536 networks in a queue.
        client_network.set(network(client_ip(request), prefix=48))
        return get_response(request)

    return middleware


def client(request):
    """Return what is known of the browser behind `request`: its `ip` and `user_agent`."""
    return {"ip": client_ip(request), "user_agent": user_agent(request)}


def client_ip(request):
    """
    Return the visitor's IP address as text, or None if the web server knows none.

    It is the connection's, unless TRUSTED_PROXY_COUNT says how many proxies of our own stand
    before this server. Each appends to X-Forwarded-For whom it heard, so that the outermost of
    them wrote the entry of that number from the right. The entries to the left of it are the
    visitor's own words.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    proxies = settings.TRUSTED_PROXY_COUNT
    # Fewer entries than proxies: somebody went around them.
    entry = forwarded[-proxies] if 0 < proxies <= len(forwarded) else ""
    return parse_ip(entry) or parse_ip(request.META.get("REMOTE_ADDR", ""))


def parse_ip(text):
    """Return the IP address in `text` in its one spelling, or None if there is none."""
    try:
        ip = ipaddress.ip_address(text.strip().partition("%")[0])  # "%": a network interface
    except ValueError:
        return None
    # A server that listens on both protocols writes 192.0.2.1 as ::ffff:192.0.2.1, and the whole
    # of IPv4 would be one /64.
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def network(ip, prefix=64):
    """
    Return the network that `ip` counts for: an IPv4 address itself, the /64 of an IPv6 address.

    A /64 is the least that one household gets, and any address in it is theirs to choose.
    """
    if ip and ":" in ip:
        return str(ipaddress.ip_interface(f"{ip}/{prefix}").network.network_address)
    return ip


def user_agent(request):
    """Return the browser's User-Agent, cut, without control characters."""
    text = request.headers.get("User-Agent", "")[:USER_AGENT_MAX_LENGTH]
    return CONTROL_CHARACTERS.sub(" ", text)


def device_name(user_agent):
    """Return browser and system in words, such as "Firefox on Linux"."""
    agent = ua_parser.parse(user_agent)
    names = [part.family for part in (agent.user_agent, agent.os) if part]
    return " on ".join(names) or "Unknown device"
