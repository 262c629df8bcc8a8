"""All auth methods: their blocks, names and modules. A new method is a module and a line here."""

from collections.abc import Callable
from typing import Final

import msgspec

from adapters.auth.aws import AwsAuth
from adapters.auth.azure import AzureAuth
from adapters.auth.credentials import Source, sources
from adapters.auth.gcp_iam import GcpIamAuth
from adapters.auth.gcp_id_token import GcpIdTokenAuth
from adapters.auth.given_jwt import JwtAuth
from adapters.auth.ldap import LdapAuth
from adapters.auth.login import AuthMethod, MethodName
from adapters.auth.oracle_cloud import OciAuth
from adapters.auth.service_account import KubernetesAuth
from adapters.auth.settings import AuthSettings
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
from machines.outcomes import Fault, Invalid


class Registered(msgspec.Struct, frozen=True):
    """A method. `ambient`: it shows the controller's own identity."""

    block: type[AuthBlock]
    name: MethodName
    make: Callable[[AuthSettings], AuthMethod]
    ambient: bool = False


METHODS: Final[tuple[Registered, ...]] = (
    Registered(UniversalAuthCredentials, MethodName.UNIVERSAL, lambda settings: UniversalAuth()),
    Registered(AzureAuthCredentials, MethodName.AZURE, AzureAuth, ambient=True),
    Registered(
        GcpIdTokenAuthCredentials, MethodName.GCP_ID_TOKEN, lambda settings: GcpIdTokenAuth(), ambient=True
    ),
    Registered(GcpIamAuthCredentials, MethodName.GCP_IAM, GcpIamAuth, ambient=True),
    Registered(JwtAuthCredentials, MethodName.JWT, lambda settings: JwtAuth()),
    Registered(LdapAuthCredentials, MethodName.LDAP, lambda settings: LdapAuth()),
    Registered(OciAuthCredentials, MethodName.OCI, lambda settings: OciAuth()),
    Registered(KubernetesAuthCredentials, MethodName.KUBERNETES, KubernetesAuth, ambient=True),
    Registered(AwsAuthCredentials, MethodName.AWS, lambda settings: AwsAuth(), ambient=True),
    Registered(TokenAuthCredentials, MethodName.TOKEN, lambda settings: TokenAuth()),
)
_BY_BLOCK: Final = {registered.block: registered for registered in METHODS}


class Methods:
    """The methods of one controller, by their names; each is made when it is first used."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._made: dict[MethodName, AuthMethod] = {}

    def of(self, name: MethodName) -> AuthMethod:
        """The method of this name."""
        method = self._made.get(name)
        if method is None:
            make = next(one.make for one in METHODS if one.name is name)
            method = self._made[name] = make(self._settings)
        return method

    def may_be_shown(self, auth: "Chosen", host: str, *, namespaced: bool) -> bool:
        """Whether a store may log in to a host by this method: a SecretStore may not send the controller's own identity
        where the operator has not allowed it."""
        allowed = self._settings.ambient_hosts
        return not (auth.ambient and namespaced) or allowed is None or host in allowed


class Chosen(msgspec.Struct, frozen=True):
    """The method that a store uses, what it needs to be read, and whether there were other blocks."""

    name: MethodName
    ambient: bool
    sources: tuple[Source, ...]
    several: bool


def chosen(auth: Auth) -> Chosen | Invalid:
    """The first block that a store has, in the order of precedence, made ready to be used."""
    blocks = blocks_given(auth)
    if not blocks:
        return Invalid(what=Fault.NO_AUTH)
    block = blocks[0]
    registered = _BY_BLOCK[type(block)]
    needed = sources(block)
    if isinstance(needed, Invalid):
        return needed
    return Chosen(registered.name, registered.ambient, needed, len(blocks) > 1)
