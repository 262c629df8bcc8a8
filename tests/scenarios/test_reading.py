"""What of Infisical arrives in a Secret: keys, properties, searches, imports, references, on both clusters."""

import json
from typing import Any

import pytest

from reconciler.standin import Age
from tests.scenarios.scene import API_KEY, LISTING, LOGIN, SINGLE, VALIDATION, Scene, key, named

EVERY_AGE = pytest.mark.parametrize("age", list(Age))
KEYS = [
    key("SERVICE_PASSWORD", "bare"),
    key("/my-app/ADMIN_PASSWORD", "absolute"),
    key("/API_KEY", "root"),
    key("sub/DEEP", "relative"),
]
ARRIVED = {
    "bare": "example-service-password",
    "absolute": "example-admin-password",
    "root": API_KEY,
    "relative": "deep",
}


@pytest.mark.statement("S44")
@pytest.mark.statement("S45")
@pytest.mark.statement("S46")
@pytest.mark.statement("S87")
@EVERY_AGE
async def test_key_is_bare_absolute_or_relative(scene: Scene) -> None:
    """Bare: in secretsPath. With a leading slash: from the root, whatever secretsPath says. Otherwise: below it."""
    scene.project.set_secret("dev", "/my-app/sub", "DEEP", "deep")
    await scene.begin_with_store(secretsPath="/my-app")
    await scene.apply(scene.external_secret(data=KEYS))
    await scene.ready()
    assert await scene.secret() == ARRIVED


async def test_folder_with_several_keys_is_listed_and_one_key_is_read_singly(scene: Scene) -> None:
    """So that what an ExternalSecret costs hangs on its folders, and not on its keys."""
    scene.project.set_secret("dev", "/my-app/sub", "DEEP", "deep")
    await scene.apply(scene.credentials_secret(), scene.store(secretsPath="/my-app"))
    async with scene.costs(
        LOGIN + VALIDATION + LISTING + SINGLE + SINGLE,
        status_SecretStore=1,
        status_ExternalSecret=1,
        apply_Secret=1,
    ):
        await scene.store_ready()
        await scene.apply(scene.external_secret(data=KEYS))
        await scene.ready()
    assert await scene.secret() == ARRIVED


@pytest.mark.statement("S84")
@pytest.mark.statement("S85")
async def test_scope_is_the_root_folder_without_those_below_by_default(scene: Scene) -> None:
    """Neither secretsPath nor recursive is needed."""
    await scene.begin(data=[], dataFrom=[named(".")])
    assert sorted(await scene.secret() or {}) == ["API_KEY", "DB_PASSWORD", "JSON_BLOB"]


@pytest.mark.parametrize("path", ["my-app", "/my-app/", "//my-app", "/my-app"])
async def test_spelling_of_secrets_path_does_not_matter(scene: Scene, path: str) -> None:
    """Slashes that are missing, doubled or at the end mean nothing."""
    await scene.begin_with_store(secretsPath=path)
    await scene.apply(scene.external_secret(data=[key("ADMIN_PASSWORD")], dataFrom=[named("^SERVICE")]))
    await scene.ready()
    assert await scene.secret() == {
        "key": "example-admin-password",
        "SERVICE_PASSWORD": "example-service-password",
    }


BLOB = {
    "text": "bare",
    "number": 1.50,
    "big": 12345678901234567890,
    "yes": True,
    "nothing": None,
    "list": [1, {"deep": "found"}],
    "object": {"a": "b"},
    "with.dot": "escaped",
}


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("text", "bare"),
        ("number", "1.5"),
        ("big", "12345678901234567890"),
        ("yes", "true"),
        ("nothing", ""),
        ("list", '[1,{"deep":"found"}]'),
        ("list.1.deep", "found"),
        ("list.#", "2"),
        ("object.a", "b"),
        (r"with\.dot", "escaped"),
    ],
)
async def test_property_is_taken_out_of_a_json_value(scene: Scene, path: str, arrives: str) -> None:
    """A string comes bare, null empty, anything else as its JSON."""
    scene.project.set_secret("dev", "/", "BLOB", json.dumps(BLOB, separators=(",", ":")))
    await scene.begin(data=[key("BLOB", property=path)])
    assert await scene.secret() == {"key": arrives}


async def test_extract_makes_a_key_of_each_property(scene: Scene) -> None:
    """Of the whole value, or of what a property selects of it."""
    scene.project.set_secret("dev", "/", "BLOB", json.dumps(BLOB, separators=(",", ":")))
    await scene.begin(
        data=[],
        dataFrom=[{"extract": {"key": "BLOB"}}, {"extract": {"key": "BLOB", "property": "object"}}],
    )
    assert await scene.secret() == {
        "text": "bare",
        "number": "1.5",
        "big": "12345678901234567890",
        "yes": "true",
        "nothing": "",
        "list": '[1,{"deep":"found"}]',
        "object": '{"a":"b"}',
        "with.dot": "escaped",
        "a": "b",
    }


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"data": [key("JSON_BLOB", property="absent")]},
            'the value of "JSON_BLOB" has no property "absent"',
        ),
        ({"data": [key("API_KEY", property="any")]}, 'the value of "API_KEY" is not the JSON'),
        ({"data": [key("API_KEY", decodingStrategy="Base64")]}, "not in the encoding"),
        ({"dataFrom": [{"extract": {"key": "API_KEY"}}]}, 'the value of "API_KEY" is not the JSON'),
        ({"dataFrom": [named("(")]}, "find.name.regexp, or one of dataTo) is no regular expression"),
        ({"dataFrom": [{"find": {"path": "/elsewhere"}}]}, "find.path lies outside of what the store lists"),
    ],
    ids=["no property", "no JSON", "no Base64", "nothing to extract", "regexp", "path"],
)
async def test_content_that_cannot_be_used_is_told_and_nothing_is_written(
    scene: Scene, spec: dict[str, Any], said: str
) -> None:
    """The message names the key and what to look at, and never the value."""
    await scene.begin_with_store()
    await scene.apply(scene.external_secret(**spec))
    condition = await scene.ready(status="False", said=said)
    assert condition["reason"] == "SecretSyncedError"
    assert API_KEY not in condition["message"]
    assert await scene.secret() is None


@pytest.mark.statement("S54")
@pytest.mark.statement("S56")
@pytest.mark.statement("S58")
@pytest.mark.parametrize(
    ("find", "said"),
    [
        ({}, "find needs name or path"),
        ({"path": "my-app"}, "find.path must be absolute"),
        ({"name": {"regexp": "."}, "tags": {"a": "b"}}, "find.tags is not supported"),
    ],
)
async def test_search_that_means_nothing_is_an_error_without_a_request_for_secrets(
    scene: Scene, find: dict[str, Any], said: str
) -> None:
    """It is told before anything is listed."""
    async with scene.costs(
        LOGIN + VALIDATION,
        status_SecretStore=1,
        status_ExternalSecret=1,
    ):
        await scene.apply(scene.credentials_secret(), scene.store())
        await scene.store_ready()
        await scene.apply(scene.external_secret(dataFrom=[{"find": find}]))
        await scene.ready(status="False", said=said)


@pytest.mark.statement("S52")
@pytest.mark.statement("S53")
@pytest.mark.statement("S55")
@pytest.mark.statement("S57")
@EVERY_AGE
async def test_search_chooses_by_name_and_by_folder(scene: Scene) -> None:
    """The name is searched, not matched whole; a folder stands for itself and for all below it; both narrow each other.

    What is imported has no folder of its own here: a path leaves it out.
    """
    scene.project.set_secret("dev", "/my-app/sub", "SUB_PASSWORD", "of sub")
    scene.project.set_secret("dev", "/my-application", "OTHER_PASSWORD", "other")
    scene.project.set_secret("prod", "/shared", "SHARED_PASSWORD", "shared")
    scene.project.add_import("dev", "/my-app", source_environment="prod", source_path="/shared")
    await scene.begin_with_store(recursive=True)
    await scene.apply(
        scene.external_secret("name", dataFrom=[named("D_PASS|PASSWORD$")]),
        scene.external_secret("folder", dataFrom=[{"find": {"path": "/my-app"}}]),
        scene.external_secret("both", dataFrom=[named("^S", path="/my-app")]),
    )
    found = {}
    for name in ("name", "folder", "both"):
        await scene.ready(name)
        found[name] = sorted(await scene.secret(name) or {})
    own = ["ADMIN_PASSWORD", "SERVICE_PASSWORD", "SUB_PASSWORD"]
    assert found == {
        "name": sorted([*own, "DB_PASSWORD", "OTHER_PASSWORD", "SHARED_PASSWORD"]),
        "folder": own,
        "both": ["SERVICE_PASSWORD", "SUB_PASSWORD"],
    }


@pytest.mark.statement("S47")
@pytest.mark.statement("S48")
@pytest.mark.statement("S49")
@EVERY_AGE
async def test_own_secrets_win_over_imports_and_later_imports_over_earlier_ones(scene: Scene) -> None:
    """Read singly or listed, a key gives the same value, on servers of every age."""
    for number, name in enumerate(("BOTH", "EARLIER", "MINE"), 1):
        scene.project.set_secret("staging", "/one", name, f"one-{number}")
    scene.project.set_secret("staging", "/two", "BOTH", "two-1")
    scene.project.set_secret("staging", "/two", "MINE", "two-2")
    scene.project.set_secret("dev", "/my-app", "MINE", "own")
    for source in ("/one", "/two"):
        scene.project.add_import("dev", "/my-app", source_environment="staging", source_path=source)
    await scene.begin_with_store(secretsPath="/my-app")
    names = ("BOTH", "EARLIER", "MINE")
    await scene.apply(
        scene.external_secret("listed", dataFrom=[named("BOTH|EARLIER|MINE")]),
        *(scene.external_secret(f"single-{name.lower()}", data=[key(name, name)]) for name in names),
    )
    wanted = {"BOTH": "two-1", "EARLIER": "one-2", "MINE": "own"}
    await scene.ready("listed")
    assert await scene.secret("listed") == wanted
    for name in names:
        await scene.ready(f"single-{name.lower()}")
        assert await scene.secret(f"single-{name.lower()}") == {name: wanted[name]}


async def test_two_secrets_of_one_name_give_the_newest_and_an_event(scene: Scene) -> None:
    """As simultaneous creations leave them."""
    scene.project.set_secret("dev", "/", "TWICE", "first")
    scene.project.set_secret("dev", "/", "TWICE", "of the higher version")
    scene.project.add_twin("dev", "/", "TWICE", "twin")
    await scene.begin(data=[], dataFrom=[named("^TWICE$")])
    assert await scene.secret() == {"TWICE": "of the higher version"}
    assert [note for reason, note in await scene.events("wanted") if reason == "SameName"] == [
        '"TWICE" is there twice in one folder: the one with the highest version is taken'
    ]


async def test_names_that_no_secret_key_can_have_are_converted(scene: Scene) -> None:
    """By conversionStrategy; two names that fall together are an error that names the key."""
    scene.project.set_secret("dev", "/names", "a key!", "one")
    await scene.begin_with_store(secretsPath="/names")
    unicode = named(".", conversionStrategy="Unicode")
    await scene.apply(
        scene.external_secret("default", dataFrom=[named(".")]),
        scene.external_secret("unicode", dataFrom=[unicode]),
    )
    await scene.ready("default")
    await scene.ready("unicode")
    assert await scene.secret("default") == {"a_key_": "one"}
    assert await scene.secret("unicode") == {"a_U0020_key_U0021_": "one"}
    scene.project.set_secret("dev", "/names", "a_key!", "two")
    await scene.refresh("default")
    await scene.ready("default", status="False", said='the name "a key!" and another one become the same key')
    assert await scene.secret("default") == {"a_key_": "one"}


async def test_encoded_values_are_decoded_on_demand(scene: Scene) -> None:
    """And arrive as they are otherwise."""
    scene.project.set_secret("dev", "/", "ENCODED", "aGVsbG8=")
    await scene.begin(
        data=[key("ENCODED", "plain"), key("ENCODED", "decoded", decodingStrategy="Base64")],
    )
    assert await scene.secret() == {"plain": "aGVsbG8=", "decoded": "hello"}


async def test_content_that_no_secret_can_hold_is_told(scene: Scene) -> None:
    """The API server takes one mebibyte."""
    for number in range(3):
        scene.project.set_secret("dev", "/", f"LARGE_{number}", "x" * 500_000)
    await scene.begin_with_store()
    await scene.apply(scene.external_secret(dataFrom=[named("^LARGE")]))
    await scene.ready(status="False", said="larger than a Secret can hold")


async def test_stores_of_one_identity_share_a_login_and_a_resolution(scene: Scene) -> None:
    """Two environments of one project in one Secret: the second store costs its reads alone."""
    scene.project.set_secret("prod", "/", "API_KEY", "of-production")
    async with scene.costs(
        LOGIN + VALIDATION + VALIDATION + SINGLE + SINGLE,
        status_SecretStore=2,
        status_ExternalSecret=1,
        apply_Secret=1,
    ):
        await scene.apply(
            scene.credentials_secret(), scene.store(), scene.store("production", environmentSlug="prod")
        )
        await scene.store_ready()
        await scene.store_ready("production")
        production = {"storeRef": {"name": "production", "kind": "SecretStore"}}
        await scene.apply(
            scene.external_secret(
                data=[key("API_KEY", "dev"), {**key("API_KEY", "prod"), "sourceRef": production}]
            )
        )
        await scene.ready()
    assert await scene.secret() == {"dev": API_KEY, "prod": "of-production"}
