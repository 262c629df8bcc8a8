"""The ways to log in to Infisical: one block of `spec.provider.infisical.auth` each, in the order of precedence.

A block says which keys of which Secrets hold the credentials; what is done with them is in `adapters.auth`.
"""

from typing import Annotated

from adapters.resources.fields import Part, about
from adapters.resources.references import SecretKeySelector

IdentityId = Annotated[SecretKeySelector, about("Where the ID of the machine identity is kept.")]


class UniversalAuthCredentials(Part, frozen=True, kw_only=True):
    """Universal Auth: a client ID and a client secret."""

    client_id: Annotated[SecretKeySelector, about("Where the client ID is kept.")]
    client_secret: Annotated[SecretKeySelector, about("Where the client secret is kept.")]


class AzureAuthCredentials(Part, frozen=True, kw_only=True):
    """Azure Auth: the managed identity under which the controller runs."""

    identity_id: IdentityId
    resource: Annotated[
        SecretKeySelector | None,
        about("Where the audience of the Azure token is kept. https://management.azure.com/ when absent."),
    ] = None


class GcpIdTokenAuthCredentials(Part, frozen=True, kw_only=True):
    """GCP ID Token Auth: an identity token from the metadata server of the machine."""

    identity_id: IdentityId


class GcpIamAuthCredentials(Part, frozen=True, kw_only=True):
    """GCP IAM Auth: a token that is signed in the name of a service account."""

    identity_id: IdentityId
    service_account_key_file_path: Annotated[
        SecretKeySelector,
        about(
            "Where the path of the service account's key file is kept; the file itself is read by the controller, "
            "below a directory that the controller's settings allow."
        ),
    ]


class JwtAuthCredentials(Part, frozen=True, kw_only=True):
    """JWT Auth: a token of an issuer that Infisical trusts."""

    identity_id: IdentityId
    jwt: Annotated[SecretKeySelector, about("Where the token is kept.")]


class LdapAuthCredentials(Part, frozen=True, kw_only=True):
    """LDAP Auth: user name and password of a directory account."""

    identity_id: IdentityId
    ldap_username: Annotated[SecretKeySelector, about("Where the user name is kept.")]
    ldap_password: Annotated[SecretKeySelector, about("Where the password is kept.")]


class OciAuthCredentials(Part, frozen=True, kw_only=True):
    """OCI Auth: a request signed with the API key of an Oracle Cloud user."""

    identity_id: IdentityId
    private_key: Annotated[SecretKeySelector, about("Where the private key is kept, in PEM.")]
    private_key_passphrase: Annotated[
        SecretKeySelector | None, about("Where the passphrase of the private key is kept, if it has one.")
    ] = None
    fingerprint: Annotated[SecretKeySelector, about("Where the fingerprint of the key is kept.")]
    user_id: Annotated[SecretKeySelector, about("Where the OCID of the user is kept.")]
    tenancy_id: Annotated[SecretKeySelector, about("Where the OCID of the tenancy is kept.")]
    region: Annotated[SecretKeySelector, about("Where the region is kept, such as eu-frankfurt-1.")]


class KubernetesAuthCredentials(Part, frozen=True, kw_only=True):
    """Kubernetes Auth: the service account token of the controller."""

    identity_id: IdentityId
    service_account_token_path: Annotated[
        SecretKeySelector | None,
        about("Where the path of the token file is kept. The pod's own token when absent."),
    ] = None


class AwsAuthCredentials(Part, frozen=True, kw_only=True):
    """AWS Auth: the IAM identity under which the controller runs."""

    identity_id: IdentityId


class TokenAuthCredentials(Part, frozen=True, kw_only=True):
    """Token Auth: an access token that is used as it is, and neither renewed nor revoked."""

    access_token: Annotated[SecretKeySelector, about("Where the access token is kept.")]


class Auth(Part, frozen=True, kw_only=True):
    """How to log in. Of several blocks the first in this order is used."""

    universal_auth_credentials: Annotated[
        UniversalAuthCredentials | None, about("Universal Auth: a client ID and a client secret.")
    ] = None
    azure_auth_credentials: Annotated[
        AzureAuthCredentials | None,
        about("Azure Auth: the managed identity under which the controller runs."),
    ] = None
    gcp_id_token_auth_credentials: Annotated[
        GcpIdTokenAuthCredentials | None, about("GCP ID Token Auth: a token from the metadata server.")
    ] = None
    gcp_iam_auth_credentials: Annotated[
        GcpIamAuthCredentials | None, about("GCP IAM Auth: a token signed in the name of a service account.")
    ] = None
    jwt_auth_credentials: Annotated[
        JwtAuthCredentials | None, about("JWT Auth: a token of an issuer that Infisical trusts.")
    ] = None
    ldap_auth_credentials: Annotated[
        LdapAuthCredentials | None, about("LDAP Auth: user name and password of a directory account.")
    ] = None
    oci_auth_credentials: Annotated[
        OciAuthCredentials | None, about("OCI Auth: a request signed with a user's API key.")
    ] = None
    kubernetes_auth_credentials: Annotated[
        KubernetesAuthCredentials | None, about("Kubernetes Auth: the controller's service account token.")
    ] = None
    aws_auth_credentials: Annotated[
        AwsAuthCredentials | None, about("AWS Auth: the IAM identity under which the controller runs.")
    ] = None
    token_auth_credentials: Annotated[
        TokenAuthCredentials | None, about("Token Auth: an access token made in Infisical.")
    ] = None


AuthBlock = (
    UniversalAuthCredentials
    | AzureAuthCredentials
    | GcpIdTokenAuthCredentials
    | GcpIamAuthCredentials
    | JwtAuthCredentials
    | LdapAuthCredentials
    | OciAuthCredentials
    | KubernetesAuthCredentials
    | AwsAuthCredentials
    | TokenAuthCredentials
)


def blocks_given(auth: Auth) -> list[AuthBlock]:
    """The blocks that a store has, in the order of precedence: the first is used, the others deserve a warning."""
    return [block for name in auth.__struct_fields__ if (block := getattr(auth, name)) is not None]
