"""The pages about the API in a real browser: they work, and load nothing from elsewhere."""

from __future__ import annotations

import json
import shutil

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tars_client import Device

# Runs in each page before its own scripts.
KEEP_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Browser:
    """Headless Chromium on one server. Remembers every request of its pages."""

    def __init__(self, server, folder):
        self.url = server.url
        self.requests: list[dict] = []
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update",
                         "--window-size=1300,1600", f"--user-data-dir={folder}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_VIOLATIONS})
        self.driver.get("about:blank")  # ends the browser's own first page, whose requests are not counted
        self.addresses()
        self.requests.clear()

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def find(self, selector: str, within=None):
        """The first element that fits and can be seen; waits for it."""
        def seen(_):
            for element in (within or self.driver).find_elements(By.CSS_SELECTOR, selector):
                if element.is_displayed():
                    return element
            return None
        # A page may draw itself anew between the two looks.
        wait = WebDriverWait(self.driver, 30, ignored_exceptions=[StaleElementReferenceException])
        return wait.until(seen, f"no {selector}")

    def click(self, selector: str, within=None) -> None:
        element = self.find(selector, within)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def wait_for_text(self, text: str) -> None:
        WebDriverWait(self.driver, 30).until(lambda _: text in self.text(), f"no '{text}' in the page")

    def complaints(self) -> list[str]:
        """What the browser's log says since the last call, and which policy violations the page saw."""
        log = [entry["message"] for entry in self.driver.get_log("browser")]
        return log + self.driver.execute_script("return window.violations")

    def addresses(self) -> list[str]:
        """Of all requests since the last call; `data:` and `blob:` go nowhere."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"])
                found.append(self.requests[-1]["url"])
        return [url for url in found if not url.startswith(("data:", "blob:"))]

    def stays_at_home(self) -> None:
        addresses = self.addresses()
        assert addresses and all(url.startswith(self.url + "/") for url in addresses), addresses
        assert self.complaints() == []


@pytest.fixture(scope="module")
def browser(main_server, tmp_path_factory):
    assert shutil.which("chromium") and shutil.which("chromedriver"), \
        "install the Debian packages chromium and chromium-driver"
    browser = Browser(main_server, tmp_path_factory.mktemp("browser"))
    yield browser
    browser.driver.quit()


def execute(browser: Browser, operation: str) -> tuple[str, dict]:
    """Opens one operation of Swagger UI and executes it as it is filled in; (status, body)."""
    block = browser.find(f"#operations-{operation}")
    browser.click(".opblock-summary-control", block)
    browser.click("button.execute", block)
    live = ".live-responses-table .response "
    status = browser.find(live + ".response-col_status", block).text.split()[0]
    return status, json.loads(browser.find(live + ".highlight-code code", block).text)


def test_the_api_is_tried_out_in_swagger_ui(server, browser):
    browser.open("/docs")
    browser.wait_for_text("/auth/token")
    status, pair = execute(browser, "authentication-postAuthToken")
    assert status == "200" and pair["token_type"] == "bearer"
    server.tokens += [pair["access_token"], pair["refresh_token"]]

    browser.click(".auth-wrapper .btn.authorize")
    browser.find(".auth-container input").send_keys(pair["access_token"])
    browser.click(".auth-container button.authorize")
    browser.click(".auth-container .btn-done")
    with Device(server, client_id="my-client") as device:  # the client that the example names
        status, body = execute(browser, "chat-getWsSessions")
        assert status == "200"
        assert body["sessions"][device.ack["session_id"]]["client_id"] == "my-client"

    browser.stays_at_home()
    sent = {request["url"]: request["headers"].get("Authorization") for request in browser.requests}
    assert sent[server.url + "/ws/sessions"] == f"Bearer {pair['access_token']}"


@pytest.mark.parametrize("path,words", [
    ("/redoc", ["T.A.R.S.", "Exchanges a refresh token for a new pair", "UNSUPPORTED_MEDIA_TYPE"]),
    ("/asyncapi", ["connection_ack", "rag_threshold", "slow_consumer", "HISTORY_LOST", "max_tokens"]),
])
def test_pages_to_read(browser, path, words):
    browser.open(path)
    for word in words:
        browser.wait_for_text(word)
    browser.stays_at_home()


def test_redoc_finds_what_is_searched_for(browser):
    """The search runs in a worker, which the policy has to allow."""
    browser.open("/redoc")
    browser.find("input[placeholder='Search...']").send_keys("families")
    browser.find("[data-role='search:results'] li")
    browser.stays_at_home()


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/asyncapi"])
@pytest.mark.parametrize("attack", [
    "const i = new Image(); i.src = 'http://elsewhere.example/x.png'",
    "fetch('http://elsewhere.example/').catch(() => 0)",
    "const s = document.createElement('script'); s.src = 'http://elsewhere.example/x.js'; document.body.append(s)",
    "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)",
    "document.body.setAttribute('onclick', 'window.ran = 1'); document.body.click()",
    "document.body.append(Object.assign(document.createElement('style'), {textContent: 'b{}'}))",
    "document.body.append(Object.assign(document.createElement('iframe'), {src: '/docs'}))",
])
def test_the_policy_holds(browser, path, attack):
    """What the tests above look for is seen when it happens, and is stopped."""
    browser.open(path)
    browser.find("nav")
    browser.driver.execute_script(attack)
    WebDriverWait(browser.driver, 10).until(
        lambda driver: driver.execute_script("return window.violations.length"), f"allowed: {attack}")
    assert not browser.driver.execute_script("return window.ran")
    browser.complaints()
    browser.addresses()
