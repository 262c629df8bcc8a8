"""`python -m tests.bench.first_login METHOD`: what the first login by a method costs a process that has the program
loaded, as a line of JSON. Nobody is asked but 127.0.0.1. METHOD `none`: the program alone.
"""

import asyncio
import importlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import msgspec

PROGRAM = (
    "reconciler.commands.run",
    "reconciler.controller",
    "adapters.kubernetes.connect",
    "adapters.infisical.http",
)
"""What `run` has loaded when it looks after a cluster."""
NOBODY = "http://127.0.0.1:9"
SURROUNDINGS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_REGION": "eu-central-1",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": NOBODY,
    "GCE_METADATA_HOST": "127.0.0.1:9",
    "GCE_METADATA_IP": "127.0.0.1:9",
    "GCE_METADATA_ROOT": "127.0.0.1:9",
}
_FORMED = {"privateKey", "serviceAccountKeyFilePath"}
"""Credentials that have to be something, for an SDK to be asked at all."""


class FirstLogin(msgspec.Struct, frozen=True):
    """Seconds and MB: of loading the program, and of the first login and the second one on top of that."""

    program_seconds: float
    program_megabytes: float
    first_seconds: float = 0.0
    first_megabytes: float = 0.0
    second_seconds: float = 0.0
    modules: int = 0


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _texts(directory: Path) -> dict[str, str]:
    """Credentials of the right form for any method."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / "key.json"
    content = {
        "type": "service_account",
        "client_email": "robot@example.com",
        "private_key": key.decode(),
        "private_key_id": "1",
        "token_uri": f"{NOBODY}/token",
    }
    file.write_text(json.dumps(content))
    return {
        "privateKey": key.decode(),
        "region": "eu-frankfurt-1",
        "serviceAccountKeyFilePath": str(file),
        "serviceAccountTokenPath": str(file),
    }


async def _measured(name: str, program: FirstLogin, directory: Path) -> FirstLogin:
    from adapters.auth.credentials import Credentials, Source
    from adapters.auth.registry import METHODS
    from adapters.auth.settings import AuthSettings
    from adapters.infisical.secret_text import SecretText
    from machines.names import FieldPath, ResourceName, SecretKey

    registered = next(one for one in METHODS if one.name.value == name)
    fields = set(registered.block.__struct_encode_fields__) - {"resource", "privateKeyPassphrase"}
    given = _texts(directory) if fields & _FORMED else {}
    credentials = Credentials(
        {
            Source(field, ResourceName("x"), SecretKey(field), FieldPath(field)): SecretText(
                given.get(field, "example")
            )
            for field in fields
        }
    )
    settings = AuthSettings(credential_directories=(directory,), gcp_iam_credentials=NOBODY)
    before, loaded = _megabytes(), len(sys.modules)
    method, times = registered.make(settings), [time.perf_counter()]
    for _ in range(2):
        await method.login(credentials)
        times.append(time.perf_counter())
    return msgspec.structs.replace(
        program,
        first_seconds=times[1] - times[0],
        second_seconds=times[2] - times[1],
        first_megabytes=_megabytes() - before,
        modules=len(sys.modules) - loaded,
    )


def main() -> None:
    """Measure the method that the command line names."""
    started = time.perf_counter()
    for module in PROGRAM:
        importlib.import_module(module)
    program = FirstLogin(time.perf_counter() - started, _megabytes())
    if sys.argv[1] != "none":
        os.environ.update(SURROUNDINGS)
        with tempfile.TemporaryDirectory() as directory:
            program = asyncio.run(_measured(sys.argv[1], program, Path(directory)))
    print(msgspec.json.encode(program).decode())


if __name__ == "__main__":
    main()
