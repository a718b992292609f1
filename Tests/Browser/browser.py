"""A headless Chromium with what the tests ask of a page."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_SECONDS = 20
"""How long a condition is waited for, on a machine that does other things too."""
OUTPUT = Path(os.environ.get("BROWSER_OUTPUT") or Path(__file__).resolve().parents[2] / ".build" / "browser")

# Runs before the page's own script, and outside its policy.
WATCHER = """
  window.violations = [];
  document.addEventListener('securitypolicyviolation',
    (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Browser:
    """One window. `complaints` reads its console."""

    def __init__(self) -> None:
        # The driver is on this machine, whatever proxy reaches the rest of the world.
        os.environ["no_proxy"] = "127.0.0.1,localhost"
        self._profile = tempfile.mkdtemp(prefix="failover-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for argument in (
            "--headless=new", f"--user-data-dir={self._profile}", "--no-proxy-server", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--lang=en",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ):  # fmt: skip
            options.add_argument(argument)
        try:
            service = Service("/usr/bin/chromedriver", env=self._environment())
            self.driver = webdriver.Chrome(service=service, options=options)
        except BaseException:
            shutil.rmtree(self._profile, ignore_errors=True)
            raise
        # However the tests end, the browser does too.
        atexit.register(self.quit)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCHER})
        self.resize(1280, 900)

    def _environment(self) -> dict[str, str]:
        """An environment in which nothing is written to the home of the user."""
        homes = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"], self._profile)
        return {**os.environ, **homes}

    def quit(self) -> None:
        """Ends the driver, and the browser with it."""
        atexit.unregister(self.quit)
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self._profile, ignore_errors=True)

    # How it is looked at

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def emulate(self, **features: str) -> None:
        """`prefers_color_scheme="dark"`, for example. Features that are not named are as usual."""
        usual = {"prefers-color-scheme": "light", "prefers-reduced-motion": "reduce"}
        wanted = usual | {name.replace("_", "-"): value for name, value in features.items()}
        listed = [{"name": name, "value": value} for name, value in wanted.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})

    def see_without_colour(self, without: bool) -> None:
        kind = {"type": "achromatopsia" if without else "none"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedVisionDeficiency", kind)

    def screenshot(self, name: str) -> None:
        """The whole page, from top to bottom, as OUTPUT/NAME.png."""
        OUTPUT.mkdir(parents=True, exist_ok=True)
        width, height = self.script("return [innerWidth, Math.max(innerHeight, document.documentElement.scrollHeight)]")
        before = self.script("return innerHeight")
        self.resize(width, height)
        (OUTPUT / f"{name}.png").write_bytes(self.driver.get_screenshot_as_png())
        self.resize(width, before)

    # What is there

    def open(self, url: str) -> None:
        self.driver.get(url)

    def script(self, source: str, *arguments: object) -> Any:
        return self.driver.execute_script(source, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Of the first such element, seen or not; empty without one."""
        return str(self.script("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def until(
        self, condition: Callable[[], object], what: str | Callable[[], str], seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """Waits until the condition holds, and returns its value. `what` says in an error which condition it is."""
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: condition())
        except TimeoutException:
            told = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds} s: {told}; console: {self.complaints()}") from None

    def until_there(self, selector: str) -> WebElement:
        found: WebElement = self.until(lambda: next(iter(self.all(selector)), None), f"an element {selector}")
        return found

    def until_text(self, selector: str, text: str) -> None:
        self.until(
            lambda: text in self.text(selector),
            lambda: f"{text!r} in {selector}, which has {self.text(selector)!r}",
        )

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def focus_by_keyboard(self, selector: str, most: int = 120) -> int:
        """Presses the tabulator until the element has the focus. Returns how often."""
        for presses in range(1, most + 1):
            self.press(Keys.TAB)
            if self.script("return document.activeElement.matches(arguments[0])", selector):
                return presses
        raise AssertionError(f"{selector} is not reached with the tabulator")

    def complaints(self) -> list[tuple[str, str]]:
        """Source and text of each error of the console since it was asked last, and each break of the policy."""
        entries = [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        violations = self.script("return (window.violations ?? []).splice(0)")
        return [(entry["source"], entry["message"]) for entry in entries] + [("policy", text) for text in violations]
