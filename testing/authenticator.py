"""An authenticator in software, for tests: it makes passkeys and answers challenges."""

import json
import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG


class Authenticator:
    """
    One passkey. `make` and `answer` take what the site asks for, and return the browser's JSON.

    `verifies` whoever holds it, by a PIN say, and `counts` its answers, or leaves the count at 0.
    """

    def __init__(self, origin=settings.SITE_URL, verifies=True, counts=False):
        self.origin, self.verifies, self.counts = origin, verifies, counts
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0
        self.user_handle = None

    def credential(self):
        """Return what the site keeps of the passkey."""
        public_key = ES256.from_cryptography_key(self.key.public_key())
        return AttestedCredentialData.create(bytes(16), self.id, public_key)

    def make(self, options):
        self.user_handle = websafe_decode(options["user"]["id"])
        data = self.data(options["rp"]["id"], FLAG.AT, self.credential())
        return self.json(
            clientDataJSON=self.client_data("webauthn.create", options),
            attestationObject=AttestationObject.create("none", data, {}),
        )

    def answer(self, options):
        client_data = self.client_data("webauthn.get", options)
        data = self.data(options["rpId"])
        signature = self.key.sign(data + sha256(client_data), ec.ECDSA(SHA256()))
        return self.json(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=signature,
            userHandle=self.user_handle,
        )

    def client_data(self, kind, options):
        challenge = websafe_decode(options["challenge"])
        return CollectedClientData.create(kind, challenge, self.origin)

    def data(self, rp_id, flags=0, credential=b""):
        self.count += self.counts
        flags |= FLAG.UP | (FLAG.UV if self.verifies else 0)
        return AuthenticatorData.create(sha256(rp_id.encode()), flags, self.count, credential)

    def json(self, **response):
        credential_id = websafe_encode(self.id)
        answer = {
            "id": credential_id,
            "rawId": credential_id,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {name: websafe_encode(value) for name, value in response.items()},
        }
        return json.dumps(answer)
