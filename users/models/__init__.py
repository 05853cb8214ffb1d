"""Who you are, and where you are logged in."""

from .session import Session
from .user import (
    DEFAULT_PICTURE,
    EMAIL_TAKEN,
    USERNAME_TAKEN,
    FoldedUsernameField,
    User,
    UserManager,
)

__all__ = [
    "DEFAULT_PICTURE",
    "EMAIL_TAKEN",
    "USERNAME_TAKEN",
    "FoldedUsernameField",
    "Session",
    "User",
    "UserManager",
]
