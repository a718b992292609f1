#!/usr/bin/python3 -B
"""The manual's site, in the folder $MANUAL, in a real browser."""

import functools
import http.server
import os
import threading
import unittest
from typing import Any

from browser import Browser


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


class ManualTests(unittest.TestCase):
    def setUp(self) -> None:
        handler = functools.partial(QuietHandler, directory=os.environ["MANUAL"])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}/"
        self.browser = Browser()
        self.addCleanup(self.browser.quit)
        self.browser.open(self.url + "index.html")

    def test_search_finds_the_page_of_a_key(self) -> None:
        field = self.browser.until_there(".md-search__input")
        self.browser.until(field.is_displayed, "the search field is visible")
        field.send_keys("drain_rate")
        found = self.browser.until_there('.md-search-result__link[href*="docs/configuration.html"]')
        self.browser.until(found.is_displayed, "the result is visible")
        found.click()
        self.browser.until(lambda: "Configuration" in self.browser.text("h1"), "the page of the keys")

    def test_loads_nothing_from_other_hosts(self) -> None:
        self.browser.until_there(".md-search__input")
        loaded = self.browser.script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        self.assertTrue(loaded)
        self.assertEqual([name for name in loaded if not name.startswith(self.url)], [])
        self.assertEqual(self.browser.complaints(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
