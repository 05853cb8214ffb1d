"""
Second factors: passkeys, the codes of an authenticator app, and recovery codes.

Which of them count, and since when, is said in the models. What adds or removes any locks the
member's row first.
"""

import json
import logging
import re
import secrets
import time
import unicodedata
from base64 import b32encode, urlsafe_b64encode
from contextlib import contextmanager, suppress
from hashlib import sha256
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from users.events import log, new_event, notify, record
from users.models import AuthenticatorApp, Kind, Passkey, RecoveryCode, SecurityEvent, User
from users.throttle import FACTOR_CHANGE_LIMIT, PASSKEY_LIMITS, attempt, check

logger = logging.getLogger(__name__)

CHALLENGE_KEY = "passkey challenge"
CHALLENGE_SECONDS = 10 * 60
CREDENTIAL_MAX_BYTES = 4096  # real ones, with an RSA key, have about 500
STEP_SECONDS = 30
SECRET_BYTES = 20  # 160 bits, as RFC 4226 recommends
PASSKEYS_PER_MEMBER = 20
WAITING_KEY = "waiting factors"
APP_REFUSED_IN_A_ROW = 100  # NIST SP 800-63B-4, 3.2.2
RECOVERY_CODES, RECOVERY_CODE_BYTES = 10, 15
FACTORS = [Passkey, AuthenticatorApp, RecoveryCode]


class Refused(Exception):
    """A passkey or a code does not count."""


class Resting(Refused):
    """So many codes of the app were refused that none counts, until another factor is used."""


class Unreadable(Refused):
    """The app's secret was encrypted with a key that this site has no longer."""


def lock(user):
    """
    Return `user` as the database has it now, the row locked until the transaction ends.

    Raises User.DoesNotExist if there is another password meanwhile: whoever has set it, or taken
    the account back, has ended the session that asks.
    """
    return User.objects.select_for_update().get(pk=user.pk, password=user.password)


# Passkeys (WebAuthn)


def relying_party():
    """Return the library's server, for the one origin that is this site."""
    rp = PublicKeyCredentialRpEntity(
        name=settings.SITE_NAME, id=urlsplit(settings.SITE_URL).hostname
    )
    return Fido2Server(rp, verify_origin=lambda origin: origin == settings.SITE_URL)


def descriptors(user):
    public_key = PublicKeyCredentialType.PUBLIC_KEY
    ids = Passkey.objects.live(user=user).values_list("credential_id", flat=True)
    return [PublicKeyCredentialDescriptor(type=public_key, id=bytes(each)) for each in ids]


def creation_options(request):
    """Return what the browser needs to make a passkey for the member, as a dict for JSON."""
    user = request.user
    options, state = relying_party().register_begin(
        PublicKeyCredentialUserEntity(
            id=str(user.pk).encode(), name=user.email, display_name=user.username
        ),
        descriptors(user),
        # Preferred: without either, a security key still serves after the password.
        ResidentKeyRequirement.PREFERRED,
        UserVerificationRequirement.PREFERRED,
    )
    keep_challenge(request, state, user)
    return dict(options.public_key)


def request_options(request, user):
    """
    Return what the browser needs to ask for a passkey of `user`, as a dict for JSON.

    Without a user: for any passkey that verifies who holds it, since it is all that is asked for.
    """
    verification = UserVerificationRequirement.PREFERRED
    if user is None:
        verification = UserVerificationRequirement.REQUIRED
    options, state = relying_party().authenticate_begin(user and descriptors(user), verification)
    keep_challenge(request, state, user)
    return dict(options.public_key)


def keep_challenge(request, state, user):
    """Keep the challenge in the session for CHALLENGE_SECONDS, for one answer of `user`."""
    with attempt(request, PASSKEY_LIMITS, Kind.PASSKEY_ASKED, "") as event:
        request.session[CHALLENGE_KEY] = {
            **state,
            "user": user and user.pk,
            "time": int(time.time()),
            "event": event.pk,
        }
    if user is None:
        request.session.set_expiry(CHALLENGE_SECONDS)  # it is for nothing else


def take_challenge(request, user):
    """Return the state that `keep_challenge` kept for `user`. Raises Refused if there is none."""
    state = request.session.pop(CHALLENGE_KEY, None)
    if not state or state["user"] != (user and user.pk):
        raise Refused("No challenge.")
    if time.time() - state["time"] > CHALLENGE_SECONDS:
        raise Refused("An old challenge.")
    # Of two answers at once, one deletes the row.
    if not SecurityEvent.objects.filter(pk=state["event"], kind=Kind.PASSKEY_ASKED).delete()[0]:
        raise Refused("A used challenge.")
    return state


@contextmanager
def refusing():
    """Raise Refused for whatever the parsers stumble over: a stranger writes what they read."""
    try:
        yield
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {error}") from error


def add_passkey(request, answer, name):
    """Add the passkey `name` of the member. `answer` is the browser's JSON. Raises Refused."""
    state = take_challenge(request, request.user)
    with refusing():
        answer = RegistrationResponse.from_dict(json.loads(answer))
        made = relying_party().register_complete(state, answer)
        data = made.credential_data
        with suppress(InvalidSignature):  # a key that is none, or not known, raises something else
            data.public_key.verify(b"", b"")
    if len(data) > CREDENTIAL_MAX_BYTES or not 16 <= len(data.credential_id) <= 1023:
        raise Refused("A credential of an odd size.")
    with transaction.atomic():
        user = lock(request.user)
        if user.passkeys.filter(removed=None).count() >= PASSKEYS_PER_MEMBER:
            raise Refused("Too many.")
        passkey = Passkey(user=user, name=name, sign_count=made.counter)
        passkey.credential_id, passkey.credential = data.credential_id, bytes(data)
        try:
            with transaction.atomic():
                add(request, passkey, Kind.PASSKEY_ADDED)
        except IntegrityError:
            raise Refused("A credential that there is already.") from None


def use_passkey(request, answer, user):
    """
    Return the passkey that answers the challenge, with the browser's JSON `answer`, of `user`.

    Without a user, of whoever holds it, which the authenticator has verified. Raises Refused; that
    an answer was refused is written down.
    """
    state = take_challenge(request, user)  # of these there are limits
    passkey = None
    try:
        with refusing():
            answer = AuthenticationResponse.from_dict(json.loads(answer))
            credential_id, handle = answer.raw_id, answer.response.user_handle
        live = Passkey.objects.live(credential_id=credential_id)
        passkey = live.select_related("user").first()
        if passkey is None or passkey.user != (user or passkey.user):
            raise Refused("An unknown credential.")
        if handle not in (None, b"", str(passkey.user_id).encode()):
            raise Refused("A credential of somebody else.")
        with refusing():
            credential = AttestedCredentialData(bytes(passkey.credential))
            relying_party().authenticate_complete(state, [credential], answer)
        count = answer.response.authenticator_data.counter
        # One UPDATE: of two answers with one count, one counts. Many do not count, and stay at 0.
        before = live.filter(sign_count__lt=count) if count else live.filter(sign_count=0)
        if not before.update(sign_count=count, last_used=timezone.now()):
            raise Refused("A count that went back: somebody may have a copy.")
    except Refused as error:
        logger.warning("A passkey was refused: %s", error)
        owner = user or (passkey and passkey.user)
        email = owner.email if owner else ""
        record(request, Kind.PASSKEY_REFUSED, user=owner, email=email)
        raise
    wake_app(passkey.user)
    return passkey


# Codes


def secret_box():
    """Return what encrypts with SECRET_KEY, and reads what SECRET_KEY_FALLBACKS have encrypted."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = [salted_hmac(__name__, "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derived])


def new_secret():
    """Return the encrypted secret of a new authenticator app, as text."""
    return secret_box().encrypt(secrets.token_bytes(SECRET_BYTES)).decode()


def read_secret(encrypted):
    """Return the bytes of an app's secret. Raises Unreadable."""
    try:
        return secret_box().decrypt(encrypted)
    except (InvalidToken, ValueError):  # not even ASCII
        raise Unreadable("The key that encrypted the secret is gone.") from None


def reencrypt(encrypted):
    """Return the secret encrypted with the SECRET_KEY of now. Raises Unreadable."""
    return secret_box().encrypt(read_secret(encrypted)).decode()


def app_codes(encrypted):
    """Return what computes the codes of an app. Raises Unreadable."""
    # SHA-1, since many apps know nothing else; as an HMAC it is sound.
    return TOTP(read_secret(encrypted), 6, SHA1(), STEP_SECONDS)  # noqa: S303


def app_url(user, encrypted):
    """Return the URL that an authenticator app reads from a QR code."""
    return app_codes(encrypted).get_provisioning_uri(user.email, settings.SITE_NAME)


def key_as_text(encrypted):
    """Return the app's secret as people type it in: base32, in groups."""
    return groups_of_four(b32encode(read_secret(encrypted)).decode(), " ")


def find_step(codes, code):
    """
    Return the number of the 30 seconds for which `codes`, of `app_codes`, show `code`, or None.

    One step before and after the present one count as well: phones' clocks are not exact.
    """
    now = int(time.time()) // STEP_SECONDS
    for step in (now, now - 1, now + 1):
        if constant_time_compare(codes.generate(step * STEP_SECONDS).decode(), code):
            return step
    return None


def add_app(request, encrypted, code):
    """Add the authenticator app with the `encrypted` secret, which shows `code`; or Refused."""
    step = find_step(app_codes(encrypted), normalize_code(code))
    if step is None:
        raise Refused("Not a code of this app.")
    with transaction.atomic():
        user = lock(request.user)
        AuthenticatorApp.objects.filter(user=user, added=None).delete()
        if AuthenticatorApp.objects.live(user=user).exists():
            raise Refused("There is one already.")
        app = AuthenticatorApp(user=user, secret=encrypted, last_step=step)
        add(request, app, Kind.APP_ADDED)


def normalize_code(text):
    """Return a code as it is compared: as people type it, in groups and lower case."""
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s-]", "", text).upper()


def digest(code):
    return sha256(code.encode(errors="replace")).hexdigest()


def use_code(user, code):
    """
    Use up `code`, of the authenticator app of `user` or a recovery code; return the model it is of.

    Raises Refused, Resting or Unreadable.
    """
    code = normalize_code(code)
    model = AuthenticatorApp if re.fullmatch("[0-9]{6}", code) else RecoveryCode
    use = use_app_code if model is AuthenticatorApp else use_recovery_code
    if not use(user, code):
        raise Refused("Not a code, or a used one.")
    wake_app(user)
    return model


def use_app_code(user, code):
    app = AuthenticatorApp.objects.live(user=user).first()
    if app is None:
        return False
    own = AuthenticatorApp.objects.live(pk=app.pk)
    codes = app_codes(app.secret)  # first: unreadable is not refused
    # Counted before it is tested: of many at once, no more are tested than may be.
    if not own.filter(refused__lt=APP_REFUSED_IN_A_ROW).update(refused=F("refused") + 1):
        raise Resting("Too many codes in a row.")
    step = find_step(codes, code)
    # One UPDATE: of two requests with one code, one counts.
    newer = own.filter(last_step__lt=step) if step else own.none()
    return bool(newer.update(last_step=step, last_used=timezone.now()))


def use_recovery_code(user, code):
    # One DELETE, for the same reason.
    return bool(RecoveryCode.objects.live(user=user, digest=digest(code)).delete()[0])


def wake_app(user):
    """Let the app's codes count again, however many were refused: `user` has used a factor."""
    AuthenticatorApp.objects.live(user=user).exclude(refused=0).update(refused=0)


def make_codes(user):
    """Return new recovery codes, for the member to see once. They count once `activate` says so."""
    with transaction.atomic():
        user = lock(user)
        RecoveryCode.objects.filter(user=user, added=None).delete()
        new = (secrets.token_bytes(RECOVERY_CODE_BYTES) for _ in range(RECOVERY_CODES))
        codes = [b32encode(code).decode() for code in new]
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=digest(code)) for code in codes
        )
    return [groups_of_four(code, "-") for code in codes]


def groups_of_four(text, between):
    return between.join(text[start : start + 4] for start in range(0, len(text), 4))


# Adding and removing


def add(request, factor, kind):
    """
    Save a new `factor`. It counts at once if another one does, or else waits for `activate`.

    It waits for this session: what somebody else has begun, an owner's codes do not finish.
    """
    if factor.user.has_second_factor:
        event = record_change(request, kind, factor.user)
        factor.added = event.time
        notify(request, "factors_changed", event, changes=[f"{factor}: added"])
    factor.save()
    if not factor.added:
        waiting = request.session.get(WAITING_KEY, [])
        request.session[WAITING_KEY] = [*waiting, [kind, factor.pk]]


def record_change(request, kind, user):
    """Write and return the event of a change of factors. Raises Throttled: each one is mailed."""
    event = new_event(request, kind, user=user)
    check(FACTOR_CHANGE_LIMIT, event, None)  # under the lock of the user's row
    event.save()
    log(event)
    return event


def activate(request, code):
    """Let new recovery codes count, and what waits for them, if `code` is one. Return if it is."""
    with transaction.atomic():
        user = lock(request.user)
        codes = RecoveryCode.objects.filter(user=user, added=None)
        if not codes.filter(digest=digest(normalize_code(code))).exists():
            return False
        event = record_change(request, Kind.CODES_MADE, user)
        RecoveryCode.objects.live(user=user).update(removed=event.time)
        codes.update(added=event.time)
        changes = ["Recovery codes: new ones made"]
        ours = request.session.pop(WAITING_KEY, [])
        for model, kind in [(Passkey, Kind.PASSKEY_ADDED), (AuthenticatorApp, Kind.APP_ADDED)]:
            waiting = model.objects.filter(user=user, added=None)
            of_this_session = waiting.filter(pk__in=[pk for of_kind, pk in ours if of_kind == kind])
            for factor in of_this_session:
                record(request, kind, user=user)
                changes.append(f"{factor}: added")
            of_this_session.update(added=event.time)
            waiting.delete()
        notify(request, "factors_changed", event, changes=changes)
    return True


def remove(request, factor, kind):
    """Remove `factor`, and the recovery codes with the last one. Refused if there must be one."""
    with transaction.atomic():
        user = lock(request.user)
        same = type(factor).objects.filter(pk=factor.pk, removed=None)
        if same.filter(added=None).delete()[0] or not same.exists():
            return  # it has never counted, or another request was quicker
        event = record_change(request, kind, user)
        same.update(removed=event.time)
        if not user.has_second_factor:
            if user.needs_second_factor:
                transaction.set_rollback(True)
                raise Refused("The last one.")
            RecoveryCode.objects.live(user=user).update(removed=event.time)
        notify(request, "factors_changed", event, changes=[f"{factor}: removed"])


def remove_all(request, user):
    """Remove all factors of `user`, for staff, and end the sessions. Return if there were any."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        event = new_event(None, Kind.FACTORS_REMOVED, user=user)
        removed = 0
        for factors in user.factors():
            factors.filter(added=None).delete()
            removed += factors.live().update(removed=event.time)
        if not removed:
            return False
        event.save()
        log(event)
        user.end_sessions()
        notify(request, "factors_changed", event, changes=["All of them: removed"])
    return True


def restore(user, since):
    """
    Undo what was added and removed since the datetime `since`.

    But replaced recovery codes stay void: they may have been replaced because somebody saw them.
    """
    for factors in user.factors():
        factors.filter(Q(added=None) | Q(added__gte=since)).delete()
        if factors.model is not RecoveryCode:
            factors.filter(removed__gte=since).update(removed=None)


def what_restore_does(user, since):
    """Return the names of the factors that `restore` would remove, bring back and leave."""
    factors = [*user.passkeys.all(), *user.authenticatorapps.all()]
    new = [factor for factor in factors if factor.added is None or factor.added >= since]
    old = [factor for factor in factors if factor not in new]
    return {
        "removed": new,
        "back": [factor for factor in old if factor.removed and factor.removed >= since],
        "left": [factor for factor in old if not factor.removed],
    }
