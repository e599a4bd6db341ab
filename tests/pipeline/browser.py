"""A headless Chromium for the tests of Airflow's web UI."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

MISSING = "The web UI test needs Chromium and its driver (Debian: apt-get install chromium chromium-driver)."
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1500,1000 --lang=en-US"
)


class Browser:
    """One window, logged in or not."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self.address = address

    def open(self, path: str) -> None:
        self.driver.get(f"{self.address}{path}")

    def find(self, selector: str, timeout: float = 60.0) -> WebElement:
        """The first visible element of a CSS selector. Waits until there is one."""

        def shown(driver: webdriver.Chrome) -> WebElement | None:
            return next((element for element in driver.find_elements(By.CSS_SELECTOR, selector) if element.is_displayed()), None)

        return WebDriverWait(self.driver, timeout, ignored_exceptions=[Exception]).until(
            shown, f"no {selector} on {self.driver.current_url}"
        )

    def click(self, selector: str) -> None:
        self.driver.execute_script("arguments[0].click()", self.find(selector))

    def log_in(self, user: str, password: str) -> None:
        self.open("/")
        self.find("input[name=username]").send_keys(user)
        self.find("input[name=password]").send_keys(password)
        self.click("button[type=submit]")
        WebDriverWait(self.driver, 60).until(lambda driver: "/login" not in driver.current_url)

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def wait_for_text(self, wanted: str, timeout: float = 60.0) -> None:
        WebDriverWait(self.driver, timeout).until(lambda _: wanted in self.text(), f"{wanted!r} is not shown")

    def picture(self, path: Path) -> None:
        """Save a screenshot after animations have ended."""
        time.sleep(3)
        self.driver.save_screenshot(str(path))


@contextmanager
def browser(address: str) -> Iterator[Browser]:
    """A new window, closed at the end."""
    chromium, driver_path = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    assert chromium and driver_path, MISSING
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in OPTIONS.split():
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    try:
        yield Browser(driver, address)
    finally:
        driver.quit()
