"""A user of OCI with API keys, one of them encrypted, whom the stand-in knows."""

import functools

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.standin import StandIn
from reconciler.standin.cloud_accounts import OciKey

TENANCY, USER = "ocid1.tenancy.oc1..aaaa", "ocid1.user.oc1..bbbb"
NAME, FINGERPRINT, REGION = "reconciler", "20:3b:97:13:55:1c", "eu-frankfurt-1"
PASSPHRASE = "canary oci pässphrase"


@functools.cache
def key() -> rsa.RSAPrivateKey:
    """The user's key."""
    return rsa.generate_private_key(65537, 2048)


def pem(passphrase: str | None = None, *, traditional: bool = False) -> str:
    """The user's private key, encrypted where a passphrase is given."""
    locked = form.BestAvailableEncryption(passphrase.encode()) if passphrase else form.NoEncryption()
    kind = form.PrivateFormat.TraditionalOpenSSL if traditional else form.PrivateFormat.PKCS8
    return key().private_bytes(form.Encoding.PEM, kind, locked).decode()


def register(server: StandIn) -> None:
    """Let the server know the key, as OCI would tell."""
    public = key().public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    server.clouds.oci_keys[f"{TENANCY}/{USER}/{FINGERPRINT}"] = OciKey(public.decode(), USER, NAME, TENANCY)


def texts(identity: str, private_key: str) -> dict[str, str]:
    """Credentials as a Secret has them."""
    return {
        "identityId": identity,
        "privateKey": private_key,
        "fingerprint": FINGERPRINT,
        "userId": USER,
        "tenancyId": TENANCY,
        "region": REGION,
    }
