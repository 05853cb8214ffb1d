"""The second factors of the people at the browser."""

from base64 import b64encode

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.utils import timezone

from testing import authenticator
from testing.cast import give_passkey
from users.models import User


class Device:
    """
    Keeps passkeys for the browser of `page`: Chromium's virtual authenticator.

    `verifies` whoever holds it, as a phone does and a security key without a PIN does not. What it
    keeps is found without its id if it is `resident`.
    """

    def __init__(self, page, verifies=True, resident=True):
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal" if verifies else "usb",
            "hasResidentKey": resident,
            "hasUserVerification": verifies,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,  # somebody touches it at once
        }
        self.id = self.send("addVirtualAuthenticator", options=options)["authenticatorId"]

    def send(self, command, **parameters):
        return self.devtools.send(f"WebAuthn.{command}", parameters)

    def credentials(self):
        return self.send("getCredentials", authenticatorId=self.id)["credentials"]

    def verify(self, verified):
        """Say whether whoever holds it unlocks it."""
        self.send("setUserVerified", authenticatorId=self.id, isUserVerified=verified)

    def forget(self):
        """Remove what it keeps, as people do in the settings of their phone."""
        self.send("clearCredentials", authenticatorId=self.id)

    def keep_passkey_of(self, user, name="Phone"):
        """Give `user` a passkey which counts, on this device, and return it."""
        made = authenticator.Authenticator()
        key = made.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        credential = {
            "credentialId": b64encode(made.id).decode(),
            "isResidentCredential": True,
            "rpId": "localhost",
            "privateKey": b64encode(key).decode(),
            "userHandle": b64encode(str(user.pk).encode()).decode(),
            "signCount": 0,
        }
        self.send("addCredential", authenticatorId=self.id, credential=credential)
        return give_passkey(user, made, name)


def confirmed(email="alice@example.com"):
    """Return the user of `email`, confirmed."""
    user = User.objects.get(email=email)
    user.email_confirmed_at = timezone.now()
    user.save()
    return user
