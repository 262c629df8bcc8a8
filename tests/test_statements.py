"""Every sentence of the user documentation that can be checked has a test that carries its number.

The numbers are those of the documentation's sentences in their order; the words here are reminders, not the sentences.
"""

import ast
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent

STATEMENTS = {
    1: "secrets are synced into the cluster",
    2: "and pushed from it to Infisical",
    3: "an identity logs in first",
    4: "in one of ten ways",
    5: "credentials Secret of Universal Auth",
    6: "its block and selectors",
    7: "kind and version of a store",
    8: "an address without /api",
    9: "project and environment are scope enough",
    10: "client ID and secret are all it needs",
    11: "a cluster store names the credentials' namespace",
    12: "a namespaced store may not",
    13: "credentials Secret of Kubernetes Auth",
    14: "its block and selectors",
    15: "the pod's own token",
    16: "the path of another one is in a Secret",
    17: "and honoured, below allowed directories",
    18: "the token is reviewed by the cluster",
    19: "credentials Secret of AWS Auth",
    20: "by the controller's own role",
    21: "the request to AWS is signed here",
    22: "credentials Secret of Azure Auth",
    23: "its block and selectors",
    24: "the audience where none is named",
    25: "by the managed identity's token",
    26: "credentials Secret and block of GCP ID Token Auth",
    27: "the metadata server's token, for this identity",
    28: "credentials Secret and block of GCP IAM Auth",
    29: "a token signed in the service account's name",
    30: "by a key file whose path is in the Secret",
    31: "credentials Secret and block of JWT Auth",
    32: "of any issuer, passed on unread",
    33: "credentials Secret and block of LDAP Auth",
    34: "user name and password in their places",
    35: "credentials Secret of OCI Auth",
    36: "its block and selectors",
    37: "the request is signed, the key not sent",
    38: "credentials Secret of Token Auth",
    39: "the token is used as it is",
    40: "and not renewed",
    41: "and not revoked",
    42: "tokens of logins are revoked",
    43: "the example project",
    44: "a key without a slash",
    45: "a key with a leading slash",
    46: "a key with a slash within",
    47: "single lookups include imports",
    48: "listings include imports",
    49: "always",
    50: "single keys by data",
    51: "all by dataFrom",
    52: "some by find",
    53: "find by name",
    54: "find needs name or path",
    55: "find by folder",
    56: "which is absolute",
    57: "and compared with each secret's folder",
    58: "find by tags is an error",
    59: "pushing needs the right to write",
    60: "kind, version and fields of a PushSecret",
    61: "remote keys lead where keys of reading lead",
    62: "one key is pushed by itself",
    63: "without a key, the whole Secret as JSON",
    64: "a property is merged, the others stay",
    65: "created where missing, updated where there",
    66: "what is equal is not written",
    67: "policy Delete: what was pushed goes with its PushSecret",
    68: "a property by itself, the secret with the last one",
    69: "what is gone already is no failure",
    70: "the server wants an ID, the store has a slug",
    71: "which is resolved by itself",
    72: "and remembered",
    73: "an ID that fails is resolved once more, and the write tried once more",
    74: "a slug without a project is told",
    75: "authorities of one's own can be trusted",
    76: "the address is without /api, which is appended",
    77: "caBundle is PEM in base64",
    78: "caProvider is a key of a Secret or ConfigMap",
    79: "one or the other",
    80: "with a namespace in a cluster store",
    81: "and without one in a namespaced store",
    82: "projectSlug is required",
    83: "environmentSlug is required",
    84: "secretsPath is / by default",
    85: "recursive is false by default",
    86: "references are expanded by default",
    87: "secretsPath is no boundary",
    88: "only Universal Auth is checked by the cluster",
    89: "the others at the first login",
    90: "of several blocks the first in order is used",
    91: "one is meant to be given",
}


def numbers_in(source: str) -> Counter[int]:
    """The numbers that markers in a source file name."""
    found: Counter[int] = Counter()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.statement":
            for argument in node.args:
                assert isinstance(argument, ast.Constant)
                found[int(str(argument.value).removeprefix("S"))] += 1
    return found


def test_every_statement_has_a_test() -> None:
    """None of them is without."""
    proven = sum((numbers_in(file.read_text()) for file in TESTS.rglob("test_*.py")), Counter[int]())
    assert not [f"S{number}: {words}" for number, words in STATEMENTS.items() if not proven[number]]
    assert list(STATEMENTS) == list(range(1, 92))


def test_a_missing_statement_would_be_noticed() -> None:
    """The markers are really read."""
    assert numbers_in('@pytest.mark.statement("S7")\ndef test_x(): ...\n') == Counter({7: 1})
    assert not numbers_in("def test_x(): ...\n")
