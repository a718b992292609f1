#!/usr/bin/python3 -B
"""The status page in a real browser: against a server that plays faults, and, in LiveTests, against a real failover."""

import os
import signal
import subprocess
import unittest
from itertools import pairwise
from pathlib import Path
from typing import Any

from browser import Browser
from measures import CONTRASTS, HAS_FOCUS, HEADINGS, LISTEN_TO_LIVE_REGIONS, OVERFLOWING, UNNAMED
from mock_admin import Json, MockAdmin, ago, alias, route, service, usual_status
from selenium.webdriver.common.keys import Keys

LIVE = '#connection[data-state="live"]'
LOST = '#connection[data-state="lost"]'
SLAVE = '[data-route="slave"] [data-alias="slave"]'
DEFAULT = '[data-route="slave"] [data-alias="default"]'
DIALOG = "#confirmation[open]"


class BrowserTests(unittest.TestCase):
    """One browser for all tests of a class. Each ends with a look at the console."""

    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self) -> None:
        self.network_errors_expected = False
        self.browser.resize(1280, 900)
        self.browser.emulate()
        self.browser.open("about:blank")
        self.browser.complaints()

    def tearDown(self) -> None:
        complaints = self.browser.complaints()
        if self.network_errors_expected:
            complaints = [one for one in complaints if one[0] != "network"]
        self.assertEqual(complaints, [])

    def click(self, selector: str) -> None:
        element = self.browser.until_there(selector)
        self.browser.until(element.is_displayed, f"{selector} is to be seen")
        # Nothing that stays at an edge of the window may lie above it.
        self.browser.script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def confirm(self) -> None:
        self.browser.until_there(DIALOG)
        self.click("#confirmation-confirm")


class PageTests(BrowserTests):
    def start(self, wait: bool = True, **settings: Any) -> MockAdmin:
        """A server as the test wants it, and the page that it serves."""
        admin = MockAdmin(**settings)
        self.enterContext(admin)
        self.addCleanup(self.browser.open, "about:blank")
        self.browser.open(admin.url)
        if wait:
            self.browser.until_there(LIVE)
        return admin

    def posts(self, admin: MockAdmin) -> list[tuple[str, object]]:
        return [(one.path.removeprefix("/api/v1/"), one.body) for one in admin.requests if one.method == "POST"]

    # What it shows

    def test_shows_routes_services_events_and_who_tells_it(self) -> None:
        self.start()
        self.assertEqual(
            [one.get_attribute("data-route") for one in self.browser.all("[data-route]")], ["slave", "reports"]
        )
        names = [one.get_attribute("data-alias") for one in self.browser.all('[data-route="reports"] [data-alias]')]
        self.assertEqual(names, ["reports-1", "reports-2", "warehouse"])
        serving = self.browser.all('[data-serving="true"]')
        self.assertEqual([one.get_attribute("data-alias") for one in serving], ["slave", "reports-1"])
        services = self.browser.all('[data-service][data-state="up"]')
        names = [one.get_attribute("data-service") for one in services]
        self.assertEqual(names, ["slave", "reports-1", "cache", "celery"])
        self.browser.until(lambda: len(self.browser.all("[data-event]")) == 3, "three events")
        self.assertEqual([one.get_attribute("data-event") for one in self.browser.all("[data-event]")], ["3", "2", "1"])
        self.assertIn("no greeting in 10 s", self.browser.text('[data-event="1"]'))
        self.assertIn("12 sessions", self.browser.text('[data-route="slave"] [data-part="open"]'))
        self.assertIn("Normal", self.browser.text("#verdict"))
        self.assertIn("0.2.0 on proxy1", self.browser.text("#about"))
        self.assertIn("connect_refused", self.browser.text("#errors"))
        self.browser.screenshot("light")

    def test_curves_have_a_text_and_mark_failed_pings(self) -> None:
        admin = self.start()
        label = self.browser.one('[data-service="slave"] svg[role=img]').get_attribute("aria-label")
        self.assertIn("1 of 60 failed, slowest 2.6 ms", label)
        crosses = self.browser.one('[data-service="slave"] .failed').get_attribute("d")
        self.assertEqual(crosses.count("M"), 1)
        with admin.change():
            admin.service("slave")["ping_durations_ms"] = [2.0, None, 1.0]
        self.browser.until_text('[data-service="slave"]', "1 of 3 failed, slowest 2.0 ms")
        line = self.browser.one('[data-service="slave"] .line').get_attribute("d")
        self.assertEqual(line, "M172.5 3.0L172.5 3.0M178.5 16.0L178.5 16.0")
        label = self.browser.one('[data-route="slave"] svg[role=img]').get_attribute("aria-label")
        self.assertRegex(label, r"[\d.]+ new sessions per second, at most 3 in 2 min;")

    def test_an_alias_shows_the_tls_of_its_pings(self) -> None:
        admin = self.start()
        place = f'{SLAVE} [data-part="address"]'
        self.assertEqual(self.browser.text(place), "127.0.0.1:15433")
        with admin.change():
            admin.alias("slave", "slave").update(tls_version="TLSv1.3", certificate_ends="2027-01-02T03:04:05.000Z")
        self.browser.until_text(place, "127.0.0.1:15433, TLSv1.3, certificate until 2027-01-02")
        with admin.change():
            admin.alias("slave", "slave").update(tls_version="TLSv1.2", certificate_ends=None)
        self.browser.until_text(place, "127.0.0.1:15433, TLSv1.2")

    def test_says_when_nothing_is_configured_and_nothing_happened(self) -> None:
        empty: Json = usual_status() | {"routes": [], "services": [], "settings": {}, "errors": {}}
        self.start(status=empty, events=[])
        self.assertIn("Nothing is configured", self.browser.text("#verdict"))
        self.assertTrue(self.browser.one('[data-action="reload"]').is_displayed())
        for name in ["routes", "services", "events", "settings", "errors"]:
            self.assertTrue(self.browser.one(f"#no-{name}").is_displayed(), name)
        self.browser.screenshot("empty")

    def test_offers_a_reload_only_where_there_is_one(self) -> None:
        self.start(status=usual_status() | {"reloadable": False})
        self.assertFalse(self.browser.one('[data-action="reload"]').is_displayed())

    def test_each_why_of_a_route_is_said_in_words(self) -> None:
        admin = self.start()
        with admin.change():
            admin.route("slave").update(why="nothing_up", current_alias=None, reason="slave: refused; default: timeout")
        self.browser.until_text('[data-route="slave"]', "Nothing is up")
        self.assertIn("slave: refused; default: timeout", self.browser.text('[data-route="slave"] .why'))
        self.assertRegex(self.browser.driver.title, "^! Clients are refused")
        self.assertEqual(len(self.browser.all('[data-route="slave"] .wire.blocked')), 1)
        with admin.change():
            closed = {"service": "celery", "message": "Back at noon"}
            admin.route("slave").update(why="closed", closed=closed, reason=None)
        self.browser.until_text('[data-route="slave"] .why', "while celery is down: Back at noon")
        with admin.change():
            admin.route("slave").update(
                why="pinned", closed=None, current_alias="default", pinned={"alias": "default", "until": ago(-290)}
            )
        self.browser.until_text('[data-route="slave"] .heading', "left)")

    # What changes

    def test_an_outage_changes_the_page_in_place(self) -> None:
        admin = self.start()
        self.browser.script("window.kept = document.querySelector(arguments[0])", SLAVE)
        admin.replica_goes_down()
        self.browser.until_there(f'{SLAVE}[data-state="down"][data-serving="false"]')
        self.browser.until_there(f'{DEFAULT}[data-state="up"][data-serving="true"]')
        self.browser.until_there('[data-service="slave"][data-state="down"]')
        self.assertTrue(self.browser.script("return window.kept === document.querySelector(arguments[0])", SLAVE))
        self.assertIn("Down since", self.browser.text(SLAVE))
        self.assertIn("Connection refused", self.browser.text(SLAVE))
        self.assertIn("serves in place of slave", self.browser.text('[data-route="slave"] .why'))
        self.assertIn("Route slave: default serves", self.browser.text("#announcements"))
        self.assertIn("CELERY_ALWAYS_EAGER", self.browser.text("#settings"))
        self.browser.until_there('[data-event="4"]')
        self.assertEqual(self.browser.all("[data-event]")[0].get_attribute("data-event"), "4")
        self.assertRegex(self.browser.driver.title, "^! On failover")
        self.browser.screenshot("outage")
        self.browser.see_without_colour(True)
        self.addCleanup(self.browser.see_without_colour, False)
        self.browser.screenshot("outage-without-colour")
        admin.replica_comes_back()
        self.browser.until_there(f'{SLAVE}[data-state="up"][data-serving="true"]')
        self.assertFalse(self.browser.one("#settings").is_displayed())

    def test_screen_readers_hear_of_routes_and_not_of_each_status(self) -> None:
        admin = self.start()
        self.browser.script(LISTEN_TO_LIVE_REGIONS)
        before = self.browser.text("#freshness")
        self.browser.until(lambda: self.browser.text("#freshness") != before, "a later status")
        self.assertEqual(self.browser.script("return window.heard"), [])
        admin.replica_goes_down()
        self.browser.until_text("#announcements", "default serves")
        self.assertEqual(self.browser.script("return window.heard"), ["announcements"])

    def test_focus_stays_where_it_is(self) -> None:
        admin = self.start()
        for name, first in [("reports", "reports-1"), ("slave", "slave")]:
            with self.subTest(name):
                self.browser.script(
                    "(window.focused = document.querySelector(arguments[0])).focus()",
                    f'[data-route="{name}"] [data-alias="{first}"] [data-action="drain"]',
                )
                admin.replica_goes_down()
                with admin.change():
                    more = route(f"{name}-2", "tcp", ["127.0.0.1:1"], [alias("one", "127.0.0.1:2")])
                    admin.status["routes"].insert(0, more)
                    admin.status["routes"].reverse()
                    admin.alias(name, first)["draining"] = True
                self.browser.until_there(f'[data-route="{name}-2"]')
                self.assertTrue(self.browser.script("return document.activeElement === window.focused"))
                self.assertEqual(self.browser.script("return document.activeElement.dataset.action"), "undrain")

    def test_focus_of_what_disappears_goes_to_its_route(self) -> None:
        admin = self.start()
        with admin.change():
            admin.route("slave").update(why="pinned", pinned={"alias": "slave", "until": None})
        self.click('[data-route="slave"] [data-action="release"]')
        self.confirm()
        self.browser.until_text("#result-text", "slave is released")
        self.browser.until(
            lambda: self.browser.script(HAS_FOCUS, '[data-route="slave"] h3'),
            "the heading has the focus",
        )

    def test_what_a_reload_removes_goes(self) -> None:
        admin = self.start()
        with admin.change():
            admin.status["routes"].pop()
            admin.status["services"].pop()
        self.browser.until(lambda: len(self.browser.all("[data-route]")) == 1, "one route")
        self.assertEqual(self.browser.all('[data-service="celery"]'), [])

    def test_moves_nothing_for_who_wants_no_motion(self) -> None:
        admin = self.start()
        self.browser.emulate(prefers_reduced_motion="no-preference")
        admin.replica_goes_down()
        self.browser.until(lambda: self.browser.script("return document.getAnimations().length"), "a flash")
        self.browser.emulate(prefers_reduced_motion="reduce")
        admin.replica_comes_back()
        self.browser.until_there(f'{SLAVE}[data-state="up"]')
        self.assertEqual(self.browser.script("return document.getAnimations().length"), 0)

    def test_many_events_are_folded(self) -> None:
        admin = self.start()
        for number in range(30):
            admin.happen("reload", "failover", f"reload {number}")
        self.browser.until(lambda: len(self.browser.all("[data-event]")) == 15, "the newest 15 events")
        self.browser.until_text("#events-more", "Show all 33")
        self.click("#events-more")
        self.browser.until(lambda: len(self.browser.all("[data-event]")) == 33, "all events")

    # The stream

    def test_says_when_the_stream_is_cut_and_when_it_is_back(self) -> None:
        self.network_errors_expected = True
        admin = self.start()
        admin.replica_goes_down()
        self.browser.until_there(f'{SLAVE}[data-state="down"]')
        admin.refuses_streams = True
        admin.cut_streams()
        self.browser.until_there(LOST)
        self.assertRegex(self.browser.text("#connection"), r"^Connection lost, showing the status at \d\d:\d\d:\d\d$")
        self.assertTrue(self.browser.one("#connection").is_displayed())
        self.browser.until_text("#retry", "failover answered with status 503; trying again in")
        self.browser.screenshot("lost")
        # Three more tries, each after a longer pause.
        first = len(admin.stream_times)
        self.browser.until(lambda: len(admin.stream_times) >= first + 3, "three more tries")
        times = admin.stream_times[first : first + 3]
        self.assertGreater(times[2] - times[1], (times[1] - times[0]) * 1.5)
        admin.refuses_streams = False
        admin.happen("reload", "failover", "while nobody listened")
        self.browser.until_there(LIVE)
        self.assertRegex(self.browser.text("#connection"), r"^Live again since \d\d:\d\d:\d\d$")
        self.browser.until_text("#events", "while nobody listened")
        self.assertFalse(self.browser.one("#retry-now").is_displayed())

    def test_says_when_nothing_came_for_a_while(self) -> None:
        admin = self.start()
        admin.is_silent = True
        self.browser.until_there(LOST)
        admin.is_silent = False
        self.browser.until_there(LIVE)

    def test_tries_again_at_once_when_asked(self) -> None:
        self.network_errors_expected = True
        admin = self.start()
        admin.refuses_streams = True
        admin.cut_streams()
        self.browser.until(lambda: "8 s" in self.browser.text("#retry"), "a long pause")
        tries = len(admin.stream_times)
        admin.refuses_streams = False
        self.click("#retry-now")
        self.browser.until(lambda: len(admin.stream_times) > tries, "a try", seconds=2)
        self.browser.until_there(LIVE)

    def test_reads_a_stream_that_comes_in_pieces(self) -> None:
        snow = "☃" * 1000
        self.start(status=usual_status() | {"host": snow}, piece=1000, wait=False)
        self.browser.until_text("#host", snow)
        self.browser.until_there(LIVE)
        first = self.browser.text("#freshness")
        self.browser.until(lambda: self.browser.text("#freshness") != first, "a later status")
        self.assertEqual(self.browser.text("#host"), snow)

    def test_another_process_starts_with_its_own_events(self) -> None:
        admin = self.start()
        self.browser.until_there('[data-event="3"]')
        with admin.change():
            admin.events.clear()
            admin.status.update(started=ago(0), process_id=4712)
        self.browser.until(lambda: not self.browser.all("[data-event]"), "no event of the process before")

    # The token

    def test_asks_for_the_token_and_keeps_it_in_the_session_only(self) -> None:
        self.network_errors_expected = True
        admin = self.start(token="right", wait=False)
        self.browser.until(lambda: self.browser.one("#token").is_displayed(), "the form")
        self.browser.screenshot("token")
        self.assertFalse(self.browser.one("#state").is_displayed())
        self.browser.until(lambda: self.browser.script("return document.activeElement.id") == "token", "focus")
        self.browser.press("wrong", Keys.ENTER)
        self.browser.until_text("#token-error", "did not accept")
        self.browser.press("right", Keys.ENTER)
        self.browser.until_there(LIVE)
        self.assertFalse(self.browser.one("#token").is_displayed())
        kept = self.browser.script("return [{...sessionStorage}, {...localStorage}, document.cookie, location.href]")
        self.assertEqual(kept, [{"token": "right"}, {}, "", admin.url])
        self.click('[data-action="reload"]')
        self.confirm()
        self.browser.until_text("#result-text", "Done")
        self.assertEqual(admin.requests[-1].token, "Bearer right")

    # Actions

    def test_each_action_sends_its_request_once_it_is_confirmed(self) -> None:
        admin = self.start()
        with admin.change():
            admin.alias("reports", "reports-2")["draining"] = True
            admin.route("reports").update(why="pinned", pinned={"alias": "reports-1", "until": None})
        self.browser.until_there('[data-action="undrain"]')
        route = '[data-route="slave"]'
        switch = "routes/slave/switch"
        cases = [
            ('[data-service="celery"] [data-action="ping"]', None, "services/celery/ping", {}),
            (f'{DEFAULT} [data-action="switch"]', "300", switch, {"alias": "default", "for_seconds": 300}),
            (f'{DEFAULT} [data-action="switch"]', "3600", switch, {"alias": "default", "for_seconds": 3600}),
            (f'{SLAVE} [data-action="switch"]', "", switch, {"alias": "slave", "for_seconds": None}),
            ('[data-route="reports"] [data-action="release"]', None, "routes/reports/release", {}),
            (f'{SLAVE} [data-action="drain"]', None, "aliases/slave/drain", {}),
            ('[data-alias="reports-2"] [data-action="undrain"]', None, "aliases/reports-2/undrain", {}),
            (f'{route} [data-action="close"]', "", "sessions/close", {"route": "slave", "alias": None}),
            (f'{route} [data-action="close"]', "=default", "sessions/close", {"route": "slave", "alias": "default"}),
            ('[data-action="reload"]', None, "reload", {}),
        ]
        for button, choice, path, body in cases:
            with self.subTest(path=path, choice=choice):
                before = len(self.posts(admin))
                self.click(button)
                self.browser.until_there(DIALOG)
                self.assertEqual(len(self.posts(admin)), before)
                if choice is not None:
                    self.click(f'{DIALOG} input[value="{choice}"]')
                if path.endswith("switch") and choice == "300":
                    self.browser.screenshot("confirmation")
                self.confirm()
                self.browser.until_text("#result-text", "Done: ")
                self.assertEqual(self.posts(admin)[before:], [(path, body)])
                self.click("#result-dismiss")

    def test_a_cancelled_action_sends_nothing(self) -> None:
        admin = self.start()
        for action in ["ping", "switch", "drain", "close"]:
            button = f'[data-action="{action}"]'
            self.click(button)
            self.browser.until_there(DIALOG)
            self.click("#confirmation-cancel")
            self.browser.until(lambda: not self.browser.all(DIALOG), "the dialog is closed")
            self.assertTrue(self.browser.script(HAS_FOCUS, button))
            self.browser.press(Keys.ENTER)
            self.browser.until_there(DIALOG)
            self.browser.press(Keys.ESCAPE)
            self.browser.until(lambda: not self.browser.all(DIALOG), "the dialog is closed")
        # Whatever was sent before this one would have come before it.
        self.click('[data-action="reload"]')
        self.confirm()
        self.browser.until_text("#result-text", "Done: configuration reloaded")
        self.assertEqual(self.posts(admin), [("reload", {})])

    def test_an_error_of_an_action_is_shown(self) -> None:
        self.network_errors_expected = True
        mistake = "services.slave.port: not a number (line 12)"
        self.start(failures={"reload": (400, {"error": mistake}), "services/slave/ping": (500, "no object")})
        self.click('[data-action="reload"]')
        self.confirm()
        self.browser.until_text("#result-text", f"Failed: Reload the configuration: {mistake}")
        self.assertEqual(self.browser.one("#result-text").get_attribute("role"), "status")
        self.assertTrue(self.browser.one("#result-text").is_displayed())
        self.browser.screenshot("failed-action")
        self.click('[data-service="slave"] [data-action="ping"]')
        self.confirm()
        self.browser.until_text("#result-text", "Failed: Ping slave now: status 500")

    def test_an_action_that_reaches_nobody_says_so(self) -> None:
        self.network_errors_expected = True
        admin = self.start()
        admin.drops_actions = True
        self.click('[data-action="reload"]')
        self.confirm()
        self.browser.until_text("#result-text", "Failed: Reload the configuration: failover cannot be reached")

    def test_the_keyboard_alone_operates_an_action(self) -> None:
        admin = self.start()
        self.browser.press(Keys.TAB)
        self.assertEqual(self.browser.script("return document.activeElement.className"), "skip")
        self.browser.press(Keys.ENTER)
        self.assertEqual(self.browser.script("return document.activeElement.id"), "main")
        self.browser.focus_by_keyboard(f'{DEFAULT} [data-action="switch"]')
        self.assertRegex(self.browser.script("return getComputedStyle(document.activeElement).outline"), "solid 3px")
        self.browser.press(Keys.ENTER)
        self.browser.until_there(DIALOG)
        self.browser.press(Keys.ENTER)  # as a key held down does: confirms nothing
        self.browser.press(Keys.ARROW_DOWN)
        self.browser.focus_by_keyboard("#confirmation-confirm", most=5)
        self.browser.press(Keys.ENTER)
        self.browser.until_text("#result-text", "slave is pinned to default")
        self.assertEqual(self.posts(admin), [("routes/slave/switch", {"alias": "default", "for_seconds": 3600})])
        self.assertTrue(self.browser.script(HAS_FOCUS, f'{DEFAULT} [data-action="switch"]'))

    # Whoever looks at it

    def hostile(self) -> Json:
        image = '<img src=x onerror="window.ran = true">'
        long = "a-very-long-name-" * 12
        right_to_left = "‮שרת\u202e"
        status = usual_status()
        status["host"] = image
        status["version"] = "line separators \u2028 \u2029 end no line"
        status["settings"] = {image: "<script>window.ran = true</script>", long: long, "__proto__": "x"}
        status["errors"] = {image: 1}
        others = [(long + "2", long), ("__proto__", "x")]
        status["routes"] = [
            route(name, "postgres", [f"{long}:6432"], [alias(*one) for one in [(name, image), *others]])
            for name in [image, long, right_to_left, "a/b?c#d%", "constructor"]
        ]
        status["routes"][1] |= {"why": "failover", "current_alias": long + "2", "reason": long + image}
        status["services"] = [service(name, "postgres", long) for name in [image, long, right_to_left, "a/b?c#d%"]]
        status["services"][0] |= {"state": "down", "reason": "refused", "detail": image + long}
        status["routes"][0]["pinned"] = {"alias": image, "until": None}
        return status

    def test_hostile_names_neither_run_nor_break_the_layout(self) -> None:
        status = self.hostile()
        image = status["host"]
        admin = self.start(status=status)
        admin.happen("outage", image, image, reason=image, detail="x" * 300, current_alias=image)
        self.browser.until_text("#events", image)
        self.assertIn(image, self.browser.text("#routes h3"))
        self.assertEqual(self.browser.all("img"), [])
        isolated = [one.text for one in self.browser.all(".why bdi:first-child")]
        self.assertEqual(isolated, [one["current_alias"] for one in status["routes"]])
        self.assertIsNone(self.browser.script("return window.ran ?? null"))
        self.assertEqual(self.browser.script(OVERFLOWING), [0, []])
        self.click('[data-service="a/b?c#d%"] [data-action="ping"]')
        self.confirm()
        self.browser.until_text("#result-text", "Done: a/b?c#d%: up")
        self.assertEqual(self.posts(admin)[-1][0], "services/a%2Fb%3Fc%23d%25/ping")
        self.browser.screenshot("hostile")

    def test_a_phone_needs_no_sideways_scrolling(self) -> None:
        self.browser.resize(360, 740)
        for name, status in [("phone", usual_status()), ("phone-hostile", self.hostile())]:
            with self.subTest(name):
                admin = self.start(status=status)
                if name == "phone":
                    admin.replica_goes_down()
                    self.browser.until_there(f'{SLAVE}[data-state="down"]')
                self.assertEqual(self.browser.script(OVERFLOWING), [0, []])
                self.browser.screenshot(name)
                self.click('[data-action="close"]')
                self.browser.until_there(DIALOG)
                self.assertEqual(self.browser.script(OVERFLOWING), [0, []])

    def test_text_has_contrast_in_both_schemes(self) -> None:
        self.network_errors_expected = True
        admin = self.start()
        admin.replica_goes_down()
        with admin.change():
            admin.alias("reports", "reports-2")["suspect"] = True
            admin.service("reports-1")["suspect"] = True
            admin.alias("reports", "warehouse")["draining"] = True
            admin.route("reports").update(why="pinned", pinned={"alias": "reports-1", "until": ago(-280)})
            closed = {"service": "celery", "message": "Back at noon"}
            admin.status["routes"] += [
                route("shut", "tcp", ["127.0.0.1:7000"], []) | {"why": "closed", "closed": closed},
                route("dead", "tcp", ["127.0.0.1:7001"], []) | {"why": "nothing_up", "reason": "x: refused"},
            ]
        self.browser.until_there('[data-route="dead"]')
        for scheme in ["light", "dark"]:
            self.browser.emulate(prefers_color_scheme=scheme)
            self.assert_contrast(scheme)
            kinds = {one.get_attribute("data-kind") for one in self.browser.all(".badge") if one.is_displayed()}
            self.assertGreaterEqual(kinds, {"up", "down", "suspect", "draining", "pinned", "closed", "failover"})
            self.browser.screenshot(f"{scheme}-all-states")
        self.click('[data-action="reload"]')
        self.assert_contrast("dark, dialog")
        self.confirm()
        self.browser.until_text("#result-text", "Done")
        admin.refuses_streams = True
        admin.cut_streams()
        self.browser.until_there(LOST)
        for scheme in ["light", "dark"]:
            self.browser.emulate(prefers_color_scheme=scheme)
            self.assert_contrast(f"{scheme}, lost")

    def assert_contrast(self, where: str) -> None:
        contrasts = self.browser.script(CONTRASTS)
        self.assertGreater(len(contrasts), 10)
        self.assertEqual([(where, ratio, what) for ratio, what in contrasts if ratio < 4.5], [])

    def test_dark_mode(self) -> None:
        self.browser.emulate(prefers_color_scheme="dark")
        self.start()
        self.browser.screenshot("dark")
        background = self.browser.script("return getComputedStyle(document.body).backgroundColor")
        self.assertEqual(background, "rgb(13, 17, 23)")

    def test_states_differ_in_word_and_shape(self) -> None:
        admin = self.start()
        with admin.change():
            admin.alias("reports", "reports-1").update(state="down")
            admin.alias("reports", "reports-2").update(suspect=True)
            admin.alias("reports", "warehouse").update(draining=True)
        self.browser.until_there('[data-alias="warehouse"][data-state="draining"]')
        seen = {}
        for one in self.browser.all("[data-alias]"):
            state = one.get_attribute("data-state")
            seen[state] = self.browser.script(
                "const badge = arguments[0].querySelector('[data-part=badge]');"
                "return [badge.textContent, badge.querySelector('path').getAttribute('d')]", one,
            )  # fmt: skip
        self.assertEqual({state: word for state, (word, _) in seen.items()},
                         {"up": "Up", "down": "Down", "suspect": "Suspect", "draining": "Draining"})  # fmt: skip
        self.assertEqual(len({shape for _, shape in seen.values()}), 4)

    def test_a_drill_shows_as_what_it_is(self) -> None:
        admin = self.start()
        with admin.change():
            admin.alias("reports", "reports-1").update(drill="2026-11-25T12:00:00.000Z")
        self.browser.until_there('[data-alias="reports-1"][data-state="down"]')
        alias = self.browser.one('[data-alias="reports-1"]')
        self.assertIn("Down (drill)", alias.text)
        self.assertIn("Outage drill until", alias.text)
        self.browser.until_text("#verdict", "in a drill: reports-1")

    def test_is_built_for_screen_readers(self) -> None:
        self.start()
        self.assertEqual(self.browser.script(UNNAMED), [])
        for selector in ["body > header", "main", "body > footer", "h1"]:
            self.assertEqual(len(self.browser.all(selector)), 1, selector)
        levels = self.browser.script(HEADINGS)
        self.assertEqual(levels[0], 1)
        self.assertTrue(all(after <= before + 1 for before, after in pairwise(levels)), levels)
        buttons = [one.accessible_name for one in self.browser.all("button[data-action]") if one.is_displayed()]
        self.assertIn("Switch here: route slave to default", buttons)
        self.assertEqual(len(buttons), len(set(buttons)), "names of buttons say which is meant")
        ids = self.browser.script("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
        self.assertEqual(len(ids), len(set(ids)))


@unittest.skipUnless(os.environ.get("FAILOVER_ADMIN_URL"), "FAILOVER_ADMIN_URL is not set: no real failover to look at")
class LiveTests(BrowserTests):
    """Needs a failover with the route `slave` of the aliases `slave`, the laboratory's replica, and `default`."""

    def setUp(self) -> None:
        super().setUp()
        self.network_errors_expected = True
        self.browser.open(os.environ["FAILOVER_ADMIN_URL"])
        self.browser.script("sessionStorage.clear()")
        self.browser.open(os.environ["FAILOVER_ADMIN_URL"])
        if token := os.environ.get("FAILOVER_ADMIN_TOKEN"):
            self.browser.until(lambda: self.browser.one("#token").is_displayed(), "the form for the token")
            self.browser.one("#token").send_keys(token, Keys.ENTER)
        self.browser.until_there(LIVE)

    def shows(self, selector: str, **state: str) -> None:
        wanted = "".join(f'[data-{name}="{value}"]' for name, value in state.items())
        self.browser.until(lambda: self.browser.all(selector + wanted), f"{selector}{wanted}", seconds=60)

    def fault(self, fault: str) -> None:
        subprocess.run([os.environ["LAB_SCRIPT"], "fault", "postgres-replica", fault], check=True)

    @unittest.skipUnless(os.environ.get("LAB_SCRIPT"), "LAB_SCRIPT is not set: no replica to kill")
    def test_an_outage_and_a_recovery_of_the_replica(self) -> None:
        self.shows(SLAVE, state="up", serving="true")
        self.browser.screenshot("live-before")
        self.addCleanup(self.fault, "start")
        self.fault("kill")
        self.shows(SLAVE, state="down", serving="false")
        self.shows(DEFAULT, state="up", serving="true")
        self.shows('[data-service="slave"]', state="down")
        self.browser.until_text("#events", "slave outage. Failover initiated.")
        self.browser.screenshot("live-outage")
        self.fault("start")
        self.shows(SLAVE, state="up", serving="true")
        self.browser.until_text("#events", "slave is back up. Recovery complete.")
        self.browser.screenshot("live-recovery")

    def test_switch_and_release(self) -> None:
        self.shows(SLAVE, state="up", serving="true")
        self.click(f'{DEFAULT} [data-action="switch"]')
        self.confirm()
        self.browser.until_text("#result-text", "Done: ")
        self.shows('[data-route="slave"]', why="pinned")
        self.shows(DEFAULT, serving="true")
        self.browser.screenshot("live-pinned")
        self.click('[data-route="slave"] [data-action="release"]')
        self.confirm()
        self.shows('[data-route="slave"]', why="preferred")
        self.shows(SLAVE, serving="true")
        self.browser.screenshot("live-released")

    @unittest.skipUnless(
        os.environ.get("FAILOVER_CONFIGURATION"), "FAILOVER_CONFIGURATION is not set: nothing to reload"
    )
    def test_a_reload_shows_what_is_new_and_a_mistake_changes_nothing(self) -> None:
        path = Path(os.environ["FAILOVER_CONFIGURATION"])
        text = path.read_text()
        self.addCleanup(path.write_text, text)
        added = f"memory: {{type: tcp, host: 127.0.0.1, port: {os.environ['LAB_PG_PRIMARY_PORT']}}}"
        path.write_text(text.replace("services: {", f"services: {{{added}, "))
        self.reload()
        self.browser.until_text("#result-text", "Done: configuration reloaded: memory added")
        self.shows('[data-service="memory"]', state="up")
        self.browser.screenshot("live-reloaded")

        path.write_text(text.replace("type: database", "type: databse"))
        self.reload()
        self.browser.until_text("#result-text", "nothing has changed")
        self.browser.until_text("#result-text", "databse")
        self.shows('[data-service="memory"]', state="up")
        self.browser.screenshot("live-reload-failed")

        path.write_text(text)
        self.reload()
        self.browser.until(lambda: not self.browser.all('[data-service="memory"]'), "the service is gone")

    def reload(self) -> None:
        self.click('[data-action="reload"]')
        self.confirm()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unittest.main(verbosity=2)
