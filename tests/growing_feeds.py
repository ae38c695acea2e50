"""Feeds on loopback that grow while a long run lasts. Every post in them is made up."""

import json
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

_CORPUS = Path(__file__).parent.parent / "classifier/corpus"
_HOME = "https://soak.example"


class GrowingFeeds:
    """Serves so many JSON feeds while its `with` block lasts; `grow` adds posts to each."""

    def __init__(self, feeds: int) -> None:
        self.names = [f"soak-{number}" for number in range(feeds)]
        self._items: dict[str, list[dict[str, str]]] = {name: [] for name in self.names}
        self._texts = [
            json.loads(line)["text"]
            for part in sorted(_CORPUS.glob("*.jsonl"))
            for line in part.read_text(encoding="utf-8").splitlines()
        ]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True

    def __enter__(self) -> "GrowingFeeds":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def posts(self) -> int:
        """How many posts all feeds show."""
        return sum(map(len, self._items.values()))

    def sources(self) -> list[dict[str, object]]:
        """The feeds as sources.yml lists them."""
        base = f"http://127.0.0.1:{self._server.server_port}"
        return [
            {
                "name": name,
                "kind": "feed",
                "every": 1,
                "settings": {"url": f"{base}/{name}.json", "allow_hosts": ["127.0.0.1"]},
            }
            for name in self.names
        ]

    def grow(self, posts: int) -> None:
        """Add so many posts to each feed, most of them unlike any other."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, items in self._items.items():
            for _ in range(posts):
                number = len(items)
                text = self._texts[(hash(name) + 31 * number) % len(self._texts)]
                link = f"{_HOME}/{name}/{number}"
                said = f"{text} số {name} {number}" if number % 4 else text
                items.append({"id": link, "url": link, "content_text": said, "date_published": now})

    def body(self, path: str) -> bytes | None:
        """The feed at this path, newest first."""
        items = self._items.get(path.strip("/").removesuffix(".json"))
        if items is None:
            return None
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Soak", "home_page_url": f"{_HOME}/"}
        return json.dumps(feed | {"items": items[::-1]}).encode()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, feeds: GrowingFeeds, *given: object) -> None:
        self.feeds = feeds
        super().__init__(*given)  # type: ignore[arg-type]  # what the server hands over

    def do_GET(self) -> None:
        body = self.feeds.body(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/feed+json")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Quiet."""
