"""Names of checked form: the only texts that a machine, an effect, an outcome or a journal can carry.

A free text could hold a secret value, a name of checked form is something that an author wrote into a manifest
or that a server calls a thing by. Each is a `str` whose constructor refuses what has not its form.
"""

import re
from typing import ClassVar, Self


class Name(str):
    """A text of a checked form. Raises ValueError, without the text, where the form does not fit."""

    __slots__ = ()
    form: ClassVar[re.Pattern[str]] = re.compile(r"[^\x00-\x1f\x7f]{0,253}")

    def __new__(cls, text: str) -> Self:
        if not cls.form.fullmatch(text):
            raise ValueError(f"this is no {cls.__name__}")
        return super().__new__(cls, text)


class KindName(Name):
    """`ExternalSecret`, `SecretStore`, ..."""

    __slots__ = ()
    form = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")


class ResourceName(Name):
    """The name of a Kubernetes object: a DNS-1123 subdomain (some kinds allow more: letters of both cases, `:`)."""

    __slots__ = ()
    form = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.:_]{0,251}[A-Za-z0-9])?")


class NamespaceName(Name):
    """A namespace, or nothing for what is cluster-wide."""

    __slots__ = ()
    form = re.compile(r"([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?")


class ResourceVersion(Name):
    """A resource version of the API server: opaque to us, digits in practice."""

    __slots__ = ()
    form = re.compile(r"[A-Za-z0-9._-]{1,128}")


class SyncedVersion(Name):
    """`<generation>-<hash of labels and annotations>`, as in `status.syncedResourceVersion`."""

    __slots__ = ()
    form = re.compile(r"[0-9]+-[0-9a-f]{1,128}")


class Uid(Name):
    """The UID of a Kubernetes object."""

    __slots__ = ()
    form = re.compile(r"[0-9A-Za-z-]{1,64}")


class FieldPath(Name):
    """Where in a manifest: `spec.data[0].remoteRef.key`."""

    __slots__ = ()
    form = re.compile(r"[A-Za-z0-9_.\[\]/\"-]{0,253}")


class RuleName(Name):
    """The identifier of a rule of the resource definitions."""

    __slots__ = ()
    form = re.compile(r"[a-z][a-z0-9-]{1,80}")


class Verb(Name):
    """A verb of Kubernetes RBAC: `get`, `list`, `watch`, `patch`, ..."""

    __slots__ = ()
    form = re.compile(r"[a-z]{1,20}")


class PluralName(Name):
    """A resource of RBAC: `secrets`, `externalsecrets/status`."""

    __slots__ = ()
    form = re.compile(r"[a-z]{1,63}(/[a-z]{1,63})?")


class SecretKey(Name):
    """A key of a Secret's data. As an author may have written it: its validity is judged elsewhere."""

    __slots__ = ()


class RemoteName(Name):
    """A secret's name at Infisical, or a key as an author wrote it (`FOO`, `/my-app/FOO`)."""

    __slots__ = ()
    form = re.compile(r"[^\x00-\x1f\x7f]{0,1024}")


class PropertyPath(Name):
    """A path into a JSON value, as an author wrote it."""

    __slots__ = ()
    form = re.compile(r"[^\x00-\x1f\x7f]{0,1024}")


class FolderPath(Name):
    """An Infisical folder: absolute, without a trailing slash but for the root."""

    __slots__ = ()
    form = re.compile(r"/[^\x00-\x1f\x7f]{0,1024}")


class Slug(Name):
    """The slug of a project, environment or organisation, as an author wrote it."""

    __slots__ = ()
    form = re.compile(r"[^\x00-\x1f\x7f]{0,128}")


class Host(Name):
    """The address of a server: scheme, host name and port, no user, path or query (`https://app.infisical.com`)."""

    __slots__ = ()
    form = re.compile(r"https?://[A-Za-z0-9.\-\[\]:_]{1,253}")
