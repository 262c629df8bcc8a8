"""Cloud SDKs cost time and memory: a process has those of the methods that it used, and no others."""

import subprocess
import sys

import pytest

SDKS = ("botocore", "boto3", "azure", "msal", "google.auth", "oci", "requests")

SCRIPT = """
import asyncio, importlib, os, sys
from tests.bench.first_login import PROGRAM, SURROUNDINGS
for module in PROGRAM:
    importlib.import_module(module)
from adapters.auth.registry import METHODS
from adapters.auth.settings import AuthSettings
from tests.clouds.logins import credentials
os.environ.update(SURROUNDINGS)
for one in METHODS:
    method = one.make(AuthSettings()) if one.make else None
    if one.name.value in sys.argv[1:]:
        asyncio.run(method.login(credentials(identityId="x")))
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("used", "loaded"),
    [
        ([], set()),
        (["kubernetes"], set()),
        (["aws"], {"botocore"}),
        (["azure"], {"azure", "msal", "requests"}),
        (["gcp-id-token"], {"google.auth", "requests"}),
    ],
    ids=["none", "kubernetes", "aws", "azure", "gcp-id-token"],
)
def test_an_sdk_is_loaded_by_the_method_that_needs_it(used: list[str], loaded: set[str]) -> None:
    """boto3 itself never is: its core does all that is needed."""
    modules = subprocess.run(
        [sys.executable, "-c", SCRIPT, *used], capture_output=True, text=True, check=True
    )
    found = set(modules.stdout.split())
    assert {sdk for sdk in SDKS if sdk in found} == loaded
