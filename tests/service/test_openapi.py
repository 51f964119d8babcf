"""The OpenAPI document: whole, with examples that work, and no request by it ends in a 500."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis

from tests.service.conftest import Live

OPERATIONS = [
    ("post", "/v1/check"),
    ("post", "/v1/moderations"),
    ("post", "/v1/drafts/join"),
    ("post", "/v1/drafts/poster"),
    ("post", "/v1/drafts/series"),
    ("post", "/v1/drafts/review"),
    ("get", "/v1/search"),
    ("get", "/v1/groups/{group}/rules"),
    ("put", "/v1/groups/{group}/rules"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
]


@pytest.fixture(scope="module")
def document(local: Live) -> Any:
    return local.client.get("/openapi.json").json()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_is_documented(document: Any, method: str, path: str) -> None:
    operation = document["paths"][path][method]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    if path.startswith("/v1/"):
        assert operation["security"] == [{"key": []}, {}]
        for status in ("401", "403", "422", "429", "503"):
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(value: Any) -> Any:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_examples_work(local: Live, document: Any) -> None:
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for kind, media in content.items():
                if (method, path) not in OPERATIONS or kind != "application/json":
                    continue
                examples = [each["value"] for each in media.get("examples", {}).values()]
                for example in [*examples, *filter(None, [media.get("example")])]:
                    answer = local.client.request(method, path.format(group="e"), json=example)
                    assert answer.status_code == 200, answer.text
                    tried += 1
    assert tried >= 9


def test_no_request_ends_in_a_500(local: Live) -> None:
    schema = schemathesis.openapi.from_url(f"{local.url}/openapi.json")

    for result in schema.exclude(path_regex="^/v1/drafts").get_all_operations():
        operation = result.ok()

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(
            max_examples=5,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def attack(case: Any) -> None:
            answer = case.call()
            assert answer.status_code < 500 or answer.status_code == 503, answer.text

        attack()
