"""Users and what happened to them, as staff see them."""

from .event import SecurityEventAdmin
from .user import UserAdmin

__all__ = ["SecurityEventAdmin", "UserAdmin"]
