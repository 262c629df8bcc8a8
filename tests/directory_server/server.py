"""The directory server: one suffix, a few accounts, binds by name and password."""

import base64
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.apiserver.processes import Guarded, Holding
from tests.directory_server.unpack import unpacked

SUFFIX = "dc=example,dc=com"
PEOPLE = f"ou=people,{SUFFIX}"
READER, READER_PASSWORD = f"cn=reader,{SUFFIX}", "reads-the-directory"
PASSWORDS = {"robot": "  correct horse, battery\tstaple ", "Zoë (ops)*": "pässwörd\\,=+"}
"""Accounts that may log in, by their user names."""
EXPIRED, EXPIRED_PASSWORD = "yesterday", "was-right-once"
"""An account whose password has expired."""
_INVALID_CREDENTIALS = 49
_SECONDS_TO_START = 20.0

_CONFIGURATION = """\
include {root}/etc/ldap/schema/core.schema
include {root}/etc/ldap/schema/cosine.schema
include {root}/etc/ldap/schema/inetorgperson.schema
modulepath {root}/usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {data}/slapd.pid
database mdb
suffix "{suffix}"
directory {data}/database
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
overlay ppolicy
"""
_ORGANISATION = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: cn=short-lived,{SUFFIX}
objectClass: device
objectClass: pwdPolicy
cn: short-lived
pwdAttribute: userPassword
pwdMaxAge: 60

dn: {READER}
objectClass: device
objectClass: simpleSecurityObject
cn: reader
userPassword: {READER_PASSWORD}
"""


def _account(username: str, password: str, *more: str) -> str:
    # A distinguished name that is not made of the user name: who logs in has to be looked up.
    number = sum(username.encode())
    lines = [
        f"dn: cn=account-{number},{PEOPLE}",
        "objectClass: inetOrgPerson",
        f"cn: account-{number}",
        "sn: Robot",
        f"uid:: {_base64(username)}",
        f"userPassword:: {_base64(password)}",
        *more,
    ]
    return "\n".join(lines) + "\n"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _entries() -> str:
    old = ("pwdChangedTime: 20200101000000Z", f"pwdPolicySubentry: cn=short-lived,{SUFFIX}")
    accounts = [_account(name, password) for name, password in PASSWORDS.items()]
    return "\n".join([_ORGANISATION, *accounts, _account(EXPIRED, EXPIRED_PASSWORD, *old)])


class DirectoryServer:
    """Runs while the `with` block lasts, and no longer than this process. `url` is `ldap://127.0.0.1:PORT`."""

    url = ""

    def __enter__(self) -> Self:
        self._root = unpacked()
        self._data = Path(tempfile.mkdtemp(prefix="directory-"))
        (self._data / "database").mkdir()
        configuration, entries = self._data / "slapd.conf", self._data / "entries.ldif"
        configuration.write_text(
            _CONFIGURATION.format(root=self._root, data=self._data, suffix=SUFFIX, reader=READER)
        )
        entries.write_text(_entries())
        done = self._run("sbin/slapadd", "-q", "-f", str(configuration), "-l", str(entries))
        assert done.returncode == 0, done.stderr
        self._holding = Holding()
        self._start(configuration)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._holding.let_go()
        shutil.rmtree(self._data)

    @property
    def settings(self) -> dict[str, str]:
        """What Infisical is told of this directory, for an identity."""
        return {
            "url": self.url,
            "bindDN": READER,
            "bindPass": READER_PASSWORD,
            "searchBase": PEOPLE,
            "searchFilter": "(uid={{username}})",
        }

    def knows(self, settings: Mapping[str, Any], username: str, password: str) -> bool:
        """Whether the account of this name binds with the password: found by a search first, as Infisical does."""
        criterion = settings["searchFilter"].replace("{{username}}", _escaped(username))
        who = ("-D", settings["bindDN"], "-w", settings["bindPass"])
        where = ("-x", "-H", settings["url"])
        found = self._run(
            "bin/ldapsearch",
            *where,
            *who,
            "-LLL",
            "-o",
            "ldif-wrap=no",
            "-b",
            settings["searchBase"],
            criterion,
            "1.1",
        )
        assert found.returncode == 0, found.stderr
        names = [line.removeprefix("dn: ") for line in found.stdout.splitlines() if line.startswith("dn: ")]
        if len(names) != 1:
            return False
        bound = self._run("bin/ldapwhoami", *where, "-D", names[0], "-w", password)
        assert bound.returncode in (0, _INVALID_CREDENTIALS), bound.stderr
        return bound.returncode == 0

    def _start(self, configuration: Path) -> None:
        deadline = time.monotonic() + _SECONDS_TO_START
        log = self._data / "slapd.log"
        while True:
            self.url = f"ldap://127.0.0.1:{_free_port()}"
            program = ("env", f"LD_LIBRARY_PATH={self._libraries}", self._root / "usr/sbin/slapd")
            command = (*program, "-d", "0", "-h", f"{self.url}/", "-f", configuration)
            self._server = Guarded(command, self._holding, log)
            while not self._server.ended:
                if self._run("bin/ldapwhoami", "-x", "-H", self.url).returncode == 0:
                    return
                assert time.monotonic() < deadline, self._server.last_words()
                time.sleep(0.02)
            assert time.monotonic() < deadline, self._server.last_words()  # else somebody else took the port

    @property
    def _libraries(self) -> str:
        return ":".join(str(directory) for directory in sorted(self._root.glob("usr/lib/*-*/")))

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"LD_LIBRARY_PATH": self._libraries, "LDAPNOINIT": "1"}
        command: Sequence[str] = (str(self._root / "usr" / program), *arguments)
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=10
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _escaped(text: str) -> str:
    """A value in a search filter: what has a meaning there is written in hexadecimal."""
    return "".join(f"\\{ord(letter):02x}" if letter in "\\*()\0" else letter for letter in text)
