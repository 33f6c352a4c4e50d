"""What a reviewer's browser loads for the grading page: the HTML and every file that it names."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urljoin

from bench import rivals
from bench.client import Client
from bench.measure import Row
from bench.reviewing import QUEUE
from bench.world import PASSWORD, PROJECT, World

_ASSET = re.compile(r"""<(?:script|img|source)\b[^>]*?\bsrc="([^"]+)"|<link\b([^>]*)>""", re.IGNORECASE)
_HREF = re.compile(r"""\bhref="([^"]+)""")
_LOADED = re.compile(r"""\brel="(?:stylesheet|modulepreload|preload|icon|manifest)""")


def measure(world: World) -> list[Row]:
    """Requests and bytes of bodies on the wire, as a browser that takes Brotli and gzip gets them."""
    front = world.reviewer(1)
    front.call("POST", f"queues/{QUEUE}/lease/")  # an item is open, so the page shows it
    front.close()
    client = Client(world.stack.port)
    _sign_in(client, world.reviewers[1].person.username)
    path = f"/p/{PROJECT}/review/{QUEUE}/"
    status, where, html = _get(client, path, encoding="identity")
    if status != 200:
        raise RuntimeError(f"the grading page answered {status} {where}")
    packed = len(_get(client, path)[2])
    has_item = 'id="decide"' in html.decode()
    assets = {urljoin(path, found) for found in named_assets(html.decode())}
    sizes = []
    for asset in sorted(assets):
        status, _, body = _get(client, asset)
        if status != 200:
            raise RuntimeError(f"{asset}, which the page names, answered {status}")
        sizes.append(len(body))
    client.close()
    total = packed + sum(sizes)
    what = "HTML with an item" if has_item else "HTML without an item"
    shown = f"{1 + len(sizes)} requests, {total / 1_000:.1f} KB ({what} {packed / 1_000:.1f} KB)"
    note = "Bodies with Accept-Encoding: br, gzip. The HTML and the scripts, styles and images that it names; cold."
    return [Row("grading page", shown, rival=f"{rivals.PAGE}; ours 1/{rivals.PAGE_BYTES / total:.0f}", note=note)]


def named_assets(html: str) -> set[str]:
    """The addresses that a browser fetches because this HTML names them."""
    found = set()
    for source, link in _ASSET.findall(html):
        if source:
            found.add(source)
        elif _LOADED.search(link) and (address := _HREF.search(link)):
            found.add(address[1])
    return {address for address in found if not address.startswith("data:")}


def _sign_in(client: Client, username: str) -> None:
    _get(client, "/accounts/login/")
    token = next(value for name, value in client.cookies.items() if "csrf" in name)
    form = urlencode({"login": username, "password": PASSWORD, "csrfmiddlewaretoken": token}).encode()
    status, _, body = client.send(
        "POST", "/accounts/login/", form, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    if status != 302:
        raise RuntimeError(f"sign-in answered {status}: {body[:300]!r}")


def _get(client: Client, path: str, *, encoding: str = "br, gzip") -> tuple[int, str, bytes]:
    status, headers, body = client.send("GET", path, headers={"Accept-Encoding": encoding, "Accept": "text/html,*/*"})
    return status, headers.get("location", ""), body
