"""For whatever watches the process: whether it lives, whether it can work, and what it counted."""

import asyncio
from ipaddress import ip_address, ip_network

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from review_ui.outage import AGAIN
from review_ui.visitor import Site

router = APIRouter()
#: Headers by which a proxy says that it asks for somebody else.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.get("/health")
async def health() -> PlainTextResponse:
    """200 and `ok` as long as the process answers; no store is asked, so that none can have it killed."""
    return PlainTextResponse("ok")


@router.get("/ready")
async def ready(request: Request) -> Response:
    """200 when both stores answer within seconds, else 503 that names the one that does not and what to do."""
    # In a thread of the loop's own: those of the pages may all be waiting for the store in question.
    beat = await asyncio.to_thread(_site(request).pulse.beat, age=1.0)
    stores = {store: beat.problems.get(store, "ok") for store in ("ledger", "posts")}
    if beat.is_well:
        return JSONResponse({"ready": True, "stores": stores})
    line = "; ".join(f"{store}: {problem}" for store, problem in beat.problems.items())
    said = {"ready": False, "stores": stores, "problem": line}
    return JSONResponse(said, status_code=503, headers={"retry-after": str(AGAIN)})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures for Prometheus, for those whom `web.metrics` names; to all others there is no such page."""
    site = _site(request)
    if not _may_read(request, site.desk.settings.web.metrics):
        raise HTTPException(404)
    page = await asyncio.to_thread(generate_latest, site.figures)
    return Response(page, media_type=CONTENT_TYPE_LATEST)


def _may_read(request: Request, allowed: str) -> bool:
    """Whether the asker itself, not somebody behind a proxy, is let in."""
    if allowed == "off" or request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        asker = ip_address(request.client.host)
    except ValueError:
        return False
    return asker.is_loopback or any(asker in ip_network(one) for one in allowed.split() if one != "loopback")


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
