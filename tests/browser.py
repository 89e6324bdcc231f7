"""A real browser without a screen, as a reader of our pages has one: Debian's Chromium, driven by selenium."""

import contextlib
import json
import shutil

import pytest

INSTALL = "apt-get install chromium chromium-driver"
ALLOWED = ("file:", "data:", "blob:", "about:", "chrome:")


@contextlib.contextmanager
def browser():
    """A driver, without a network; skips the test where no Chromium is there."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip(f"no Chromium with its driver is there to open the page in: {INSTALL}")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        opened.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        opened.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield opened
    finally:
        opened.quit()


def look(driver, width, height, dark):
    """The window of another size, and the colours that the reader's system asks for."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def requests(driver):
    """The addresses of everything that the page asked for since this was last called."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]


def elsewhere(addresses):
    """Those that leave the machine."""
    return [address for address in addresses if not address.startswith(ALLOWED)]
