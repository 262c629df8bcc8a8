"""Auth methods: which one a store uses, what it reads, and what it makes of what it finds."""

import itertools

import msgspec
import pytest

from adapters.auth.credentials import Credentials, checked
from adapters.auth.login import GivenToken, LoginRequest, MethodName
from adapters.auth.registry import METHODS, Chosen, Methods, chosen
from adapters.auth.settings import AuthSettings
from adapters.resources.auth_blocks import Auth
from machines.outcomes import Fault, Invalid

UNIVERSAL = {
    "clientId": {"name": "credentials", "key": "id"},
    "clientSecret": {"name": "credentials", "key": "secret", "namespace": "infra"},
}
METHODS_HERE = Methods(AuthSettings())
TOKEN = {"accessToken": {"name": "credentials", "key": "token"}}


def auth(**blocks: object) -> Auth:
    return msgspec.convert(blocks, Auth)


def ready(store_auth: Auth) -> Chosen:
    result = chosen(store_auth)
    assert isinstance(result, Chosen)
    return result


def found(method: Chosen, **texts: bytes) -> Credentials | Invalid:
    return checked({source: texts[source.field] for source in method.sources})


@pytest.mark.statement("S4", "S90")
def test_the_first_block_in_the_documented_order_is_used() -> None:
    order = [
        "universal",
        "azure",
        "gcp-id-token",
        "gcp-iam",
        "jwt",
        "ldap",
        "oci",
        "kubernetes",
        "aws",
        "token",
    ]
    assert [registered.name.value for registered in METHODS] == order
    assert [name.value for name in MethodName] == order
    fields = [field.type for field in msgspec.structs.fields(Auth)]
    assert [registered.block.__name__ for registered in METHODS] == [
        next(block.__name__ for block in _blocks(field)) for field in fields
    ]
    both = ready(auth(universalAuthCredentials=UNIVERSAL, tokenAuthCredentials=TOKEN))
    assert (both.name, both.several) == (MethodName.UNIVERSAL, True)
    alone = ready(auth(tokenAuthCredentials=TOKEN))
    assert (alone.name, alone.several) == (MethodName.TOKEN, False)


def _blocks(field: object) -> list[type]:
    """The block types in an annotation."""
    known = [registered.block for registered in METHODS]
    return [block for block in known if block.__name__ in str(field)]


def test_no_block_is_told() -> None:
    assert chosen(auth()) == Invalid(what=Fault.NO_AUTH)


@pytest.mark.statement("S5", "S6")
async def test_universal_auth_sends_both_credentials_whatever_their_keys_are_called() -> None:
    method = ready(auth(universalAuthCredentials=UNIVERSAL))
    assert [(source.field, source.name, source.key, source.namespace) for source in method.sources] == [
        ("clientId", "credentials", "id", None),
        ("clientSecret", "credentials", "secret", "infra"),
    ]
    credentials = found(method, clientId=b"the id\n", clientSecret="geheim ü".encode())
    assert isinstance(credentials, Credentials)
    login = await METHODS_HERE.of(method.name).login(credentials)
    assert isinstance(login, LoginRequest)
    assert login.route == "/v1/auth/universal-auth/login"
    assert {name: text.reveal() for name, text in login.fields.items()} == {
        "clientId": "the id",
        "clientSecret": "geheim ü",
    }


@pytest.mark.statement("S38", "S39")
async def test_token_auth_takes_the_token_as_it_is() -> None:
    method = ready(auth(tokenAuthCredentials=TOKEN))
    credentials = found(method, accessToken=b"st.abc.def\n")
    assert isinstance(credentials, Credentials)
    login = await METHODS_HERE.of(method.name).login(credentials)
    assert isinstance(login, GivenToken)
    assert login.token.reveal() == "st.abc.def"


@pytest.mark.parametrize("token", [b"a\nb", "tökén".encode(), b"a\x00b"])
async def test_a_token_that_no_header_can_carry_is_told_as_such(token: bytes) -> None:
    method = ready(auth(tokenAuthCredentials=TOKEN))
    credentials = found(method, accessToken=token)
    assert isinstance(credentials, Credentials)
    assert await METHODS_HERE.of(method.name).login(credentials) == Invalid(what=Fault.NOT_TEXT)


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", Fault.EMPTY_CREDENTIAL), (b" \n", Fault.EMPTY_CREDENTIAL), (b"\xff\xfe", Fault.NOT_TEXT)],
)
def test_an_empty_credential_or_one_that_is_no_text_is_named(content: bytes, fault: Fault) -> None:
    method = ready(auth(universalAuthCredentials=UNIVERSAL))
    failure = found(method, clientId=b"id", clientSecret=content)
    assert isinstance(failure, Invalid)
    assert (failure.what, failure.name, failure.secret_key, failure.namespace) == (
        fault,
        "credentials",
        "secret",
        "infra",
    )
    assert failure.field == "spec.provider.infisical.auth.universalAuthCredentials.clientSecret"


@pytest.mark.parametrize("missing", ["name", "key"])
def test_a_selector_that_cannot_be_followed_is_named(missing: str) -> None:
    selector = {"name": "credentials", "key": "token"}
    del selector[missing]
    failure = chosen(auth(tokenAuthCredentials={"accessToken": selector}))
    assert isinstance(failure, Invalid)
    assert failure.what is Fault.INCOMPLETE_SELECTOR
    assert failure.field == "spec.provider.infisical.auth.tokenAuthCredentials.accessToken"


async def test_nothing_shows_a_credential() -> None:
    universal, token = (
        ready(auth(universalAuthCredentials=UNIVERSAL)),
        ready(auth(tokenAuthCredentials=TOKEN)),
    )
    treasures: list[object] = []
    for method, texts in (
        (universal, {"clientId": b"treasure1", "clientSecret": b"treasure2"}),
        (token, {"accessToken": b"treasure3"}),
    ):
        credentials = found(method, **texts)
        assert isinstance(credentials, Credentials)
        treasures += [
            credentials,
            *credentials.values(),
            await METHODS_HERE.of(method.name).login(credentials),
        ]
    shown = "".join(itertools.chain(map(repr, treasures), map(str, treasures)))
    assert "treasure" not in shown
