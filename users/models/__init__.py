"""Who you are, where you are logged in, and what happened to your account."""

from .client import USER_AGENT_MAX_LENGTH
from .event import Kind, SecurityEvent
from .session import Session
from .user import (
    DEFAULT_PICTURE,
    EMAIL_MAX_LENGTH,
    EMAIL_TAKEN,
    USERNAME_TAKEN,
    FoldedUsernameField,
    User,
    UserManager,
)

__all__ = [
    "DEFAULT_PICTURE",
    "EMAIL_MAX_LENGTH",
    "EMAIL_TAKEN",
    "USERNAME_TAKEN",
    "USER_AGENT_MAX_LENGTH",
    "FoldedUsernameField",
    "Kind",
    "SecurityEvent",
    "Session",
    "User",
    "UserManager",
]
