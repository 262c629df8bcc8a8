"""`hostAPI` as users write it."""

import pytest

from adapters.infisical.address import Address, parsed
from machines.outcomes import Fault, Invalid


@pytest.mark.statement("S8", "S76")
@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://app.infisical.com", "https://app.infisical.com"),
        ("https://app.infisical.com/", "https://app.infisical.com"),
        ("https://app.infisical.com/api", "https://app.infisical.com"),
        ("https://app.infisical.com/api/", "https://app.infisical.com"),
        ("https://app.infisical.com//api//", "https://app.infisical.com"),
        (" HTTPS://App.Infisical.COM:443/api\n", "https://app.infisical.com"),
        ("http://infisical.default.svc:8080/api", "http://infisical.default.svc:8080"),
        ("http://infisical:80", "http://infisical"),
        ("https://example.com/infisical/api", "https://example.com/infisical"),
        ("https://example.com/api/infisical", "https://example.com/api/infisical"),
        ("https://example.com/a%20b/api", "https://example.com/a%20b"),
        ("http://[::1]:8080/api", "http://[::1]:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_form(written: str, url: str) -> None:
    address = parsed(written)
    assert isinstance(address, Address)
    assert address.url == url


@pytest.mark.parametrize(
    "written",
    [
        "",
        "app.infisical.com",
        "ftp://app.infisical.com",
        "https://",
        "https:///api",
        "https://user:password@app.infisical.com",
        "https://app.infisical.com?x=1",
        "https://app.infisical.com/#x",
        "https://app.infisical.com:port",
        "https://app.infisical.com:99999",
        "https://a b.example",
        "https://[::1",
        "https://example.com/../api",
        "https://" + "a" * 300,
        "https://exam\x00ple.com",
    ],
)
def test_what_is_no_address_is_the_authors_mistake(written: str) -> None:
    assert parsed(written) == Invalid(what=Fault.BAD_HOST)
