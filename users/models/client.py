"""The browser that did something, as far as a request tells."""

import ua_parser
from django.db import models

USER_AGENT_MAX_LENGTH = 255


class ClientModel(models.Model):
    """Remembers from which address and with which browser; `users.clients` reads both."""

    ip = models.GenericIPAddressField("IP address", null=True)
    user_agent = models.CharField(max_length=USER_AGENT_MAX_LENGTH)

    class Meta:
        abstract = True

    @property
    def device(self):
        """Browser and system in words, such as "Firefox on Linux"."""
        agent = ua_parser.parse(self.user_agent)
        names = [part.family for part in (agent.user_agent, agent.os) if part]
        return " on ".join(names) or "Unknown device"
