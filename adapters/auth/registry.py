"""All auth methods: their blocks, names and modules. A new method is a module and a line here."""

from typing import Final

import msgspec

from adapters.auth.credentials import Source, block_path, sources
from adapters.auth.login import AuthMethod, MethodName
from adapters.auth.token_auth import TokenAuth
from adapters.auth.universal_auth import UniversalAuth
from adapters.resources.auth_blocks import (
    Auth,
    AuthBlock,
    AwsAuthCredentials,
    AzureAuthCredentials,
    GcpIamAuthCredentials,
    GcpIdTokenAuthCredentials,
    JwtAuthCredentials,
    KubernetesAuthCredentials,
    LdapAuthCredentials,
    OciAuthCredentials,
    TokenAuthCredentials,
    UniversalAuthCredentials,
    blocks_given,
)
from machines.names import FieldPath
from machines.outcomes import Fault, Invalid


class Registered(msgspec.Struct, frozen=True):
    """A method; `method` is None where it is not built yet."""

    block: type[AuthBlock]
    name: MethodName
    method: AuthMethod | None = None


METHODS: Final[tuple[Registered, ...]] = (
    Registered(UniversalAuthCredentials, MethodName.UNIVERSAL, UniversalAuth()),
    Registered(AzureAuthCredentials, MethodName.AZURE),
    Registered(GcpIdTokenAuthCredentials, MethodName.GCP_ID_TOKEN),
    Registered(GcpIamAuthCredentials, MethodName.GCP_IAM),
    Registered(JwtAuthCredentials, MethodName.JWT),
    Registered(LdapAuthCredentials, MethodName.LDAP),
    Registered(OciAuthCredentials, MethodName.OCI),
    Registered(KubernetesAuthCredentials, MethodName.KUBERNETES),
    Registered(AwsAuthCredentials, MethodName.AWS),
    Registered(TokenAuthCredentials, MethodName.TOKEN, TokenAuth()),
)
_BY_BLOCK: Final = {registered.block: registered for registered in METHODS}


class Chosen(msgspec.Struct, frozen=True):
    """The method that a store uses, what it needs to be read, and whether there were other blocks."""

    name: MethodName
    method: AuthMethod
    sources: tuple[Source, ...]
    several: bool


def chosen(auth: Auth) -> Chosen | Invalid:
    """The first block that a store has, in the order of precedence, made ready to be used."""
    blocks = blocks_given(auth)
    if not blocks:
        return Invalid(what=Fault.NO_AUTH)
    block = blocks[0]
    registered = _BY_BLOCK[type(block)]
    if registered.method is None:
        return Invalid(what=Fault.UNSUPPORTED_AUTH, field=FieldPath(block_path(block)))
    needed = sources(block)
    if isinstance(needed, Invalid):
        return needed
    return Chosen(registered.name, registered.method, needed, len(blocks) > 1)
