"""GET /v1/search: a question → the playbook's passages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from engine.service.models import SearchBody
from engine.service.routes import wrong

if TYPE_CHECKING:
    from engine.service.wiring import Parts

_EXAMPLE = "朋友圈招人的文案怎么写"


def add_search(router: APIRouter, parts: Parts) -> None:
    """Add the route to a router."""

    async def search(
        q: Annotated[
            str, Query(min_length=1, max_length=500, description="A question.", examples=[_EXAMPLE])
        ],
        k: Annotated[int, Query(ge=1, le=50, description="How many passages.")] = 5,
    ) -> dict[str, Any]:
        """Find the passages of the playbook that answer a question best."""
        hits = await parts.searching.run(lambda: parts.search(q, k))
        return {"question": q, "passages": [hit.as_dict() for hit in hits]}

    router.add_api_route(
        "/v1/search",
        search,
        methods=["GET"],
        response_model=SearchBody,
        responses=wrong(),
        tags=["drafting"],
    )
