"""A headless Chromium that a test talks to over two pipes (the DevTools protocol, --remote-debugging-pipe)."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time

from .sandbox import end_with_parent

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def browser_program():
    """None where there is no browser: it is no package of `./dev`, for its size."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    def __init__(self, profile):
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def place():
            end_with_parent()
            # Above the numbers that the browser reads them at, so that no dup2 closes the other one.
            low, high = os.dup(to_browser), os.dup(from_browser)
            os.dup2(low, 3)
            os.dup2(high, 4)

        # In a pid namespace of its own: when the browser ends, the kernel ends what it started, and only then is unshare done.
        # On its own a helper of the browser still writes to the profile while a test removes it.
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child", browser_program(), "--headless=new",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--force-color-profile=srgb", f"--user-data-dir={profile}", "--remote-debugging-pipe",
             "about:blank"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=place)
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._pending = b""
        self.events = []

    def close(self):
        """Nothing of the browser runs afterwards."""
        os.close(self._write)  # it ends when its pipe does
        os.close(self._read)
        self.process.wait(60)

    def _message(self, seconds):
        end = time.monotonic() + seconds
        while b"\0" not in self._pending:
            readable, _, _ = select.select([self._read], [], [], max(end - time.monotonic(), 0))
            if not readable:
                raise AssertionError(f"the browser said nothing for {seconds} s")
            octets = os.read(self._read, 1 << 20)
            if not octets:
                raise AssertionError(f"the browser has ended, status {self.process.poll()}")
            self._pending += octets
        message, self._pending = self._pending.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, seconds=60, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message(seconds)
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def page(self, url, width=1440, height=900, dark=False):
        return Page(self, url, width, height, dark)


class Page:
    """One tab. Everything it asks the network for, or says on its console, is in requests and complaints."""

    def __init__(self, browser, url, width, height, dark):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, expression, seconds=30):
        end = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {expression}")
            time.sleep(0.02)
        return value

    def drawn(self):
        """Waits until what the last input asked for has been drawn."""
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def key(self, *keys):
        for key in keys:
            text = key if len(key) == 1 else ""
            event = {"key": key, "text": text} if text else {"key": key}
            if key == "Enter":
                event["text"] = "\r"
            self.call("Input.dispatchKeyEvent", type="keyDown", **event)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.drawn()

    def type(self, text):
        self.call("Input.insertText", text=text)
        self.drawn()

    def screenshot(self, path):
        picture = self.call("Page.captureScreenshot", format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def _events(self, method):
        return [event["params"] for event in self.browser.events
                if event.get("sessionId") == self.session and event.get("method") == method]

    def complaints(self):
        return (self._events("Runtime.exceptionThrown") + self._events("Log.entryAdded") +
                self._events("Runtime.consoleAPICalled") + self._events("Page.javascriptDialogOpening"))

    def requests(self):
        """The page itself, and what it asks for besides, data: addresses left out."""
        return [event["request"]["url"] for event in self._events("Network.requestWillBeSent")
                if not event["request"]["url"].startswith("data:")]
