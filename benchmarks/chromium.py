"""Chromium without a window, driven through its DevTools over a pair of pipes.

Nothing but Chromium and Python is needed: no driver, no package.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PATIENCE_S = 60.0
"""Longest that a page is waited for."""


def executable() -> str | None:
    """The path of Chromium on this machine; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page.

    Parameters
    ----------
    width, height : int
        Of the window, in pixels.

    Attributes
    ----------
    said : list of str
        Errors and warnings of the console, exceptions of scripts, and files that did not load.
    """

    def __init__(self, width: int = 1280, height: int = 720):
        path = executable()
        if path is None:
            raise FileNotFoundError("there is no Chromium here")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read_by_it, self._to = os.pipe()
        self._from, written_by_it = os.pipe()

        def as_it_expects() -> None:
            # copies first: one of the numbers may be 3 or 4
            ends = os.dup(read_by_it), os.dup(written_by_it)
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        options = {
            "headless": "new",
            "no-sandbox": "",
            "disable-gpu": "",
            "disable-dev-shm-usage": "",
            "disable-background-networking": "",
            "no-first-run": "",
            "hide-scrollbars": "",
            "window-size": f"{width},{height}",
            "user-data-dir": self._profile.name,
            "remote-debugging-pipe": "",
        }
        self._process = subprocess.Popen(
            [path, *(f"--{name}={value}".rstrip("=") for name, value in options.items())],
            preexec_fn=as_it_expects,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_by_it)
        os.close(written_by_it)
        self._buffer, self._number, self._session = b"", 0, None
        self.said: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method of the DevTools protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._heard(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._from, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium ended")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _heard(self, event: dict[str, Any]) -> None:
        about = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            self.said.append(details.get("exception", details).get("description", str(details)))
        elif event.get("method") == "Runtime.consoleAPICalled" and about["type"] != "log":
            self.said.append(f"{about['type']}: {[a.get('value') for a in about['args']]}")
        elif event.get("method") == "Log.entryAdded":
            self.said.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")

    def run(self, code: str) -> Any:
        """The value of an expression of JavaScript; a promise is waited for."""
        result = self.call(
            "Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page says that it is drawn."""
        for place in ("about:blank", address):
            self.call("Page.navigate", url=place)
        self.wait("document.documentElement?.dataset.ready === (location.hash || '#')")

    def wait(self, condition: str) -> None:
        """Wait until an expression of JavaScript is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {condition}; said: {self.said}")
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press and let go of a key, named as JavaScript names it."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowLeft": 37}
        about = {"key": key, "text": text, "windowsVirtualKeyCode": codes.get(key, 0)}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **about)

    def drag(self, *points: tuple[float, float]) -> None:
        """Press the mouse at the first point, and let go at the last."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 2), "mouseReleased"]
        for kind, (x, y) in zip(kinds, points, strict=True):
            about = {"x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **about)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Keep what is seen, or the whole page, in the format of the path's suffix: png or webp."""
        options: dict[str, Any] = {"format": Path(path).suffix.removeprefix(".")}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options |= {"clip": {**size, "x": 0, "y": 0, "scale": 1}, "captureBeyondViewport": True}
        data = self.call("Page.captureScreenshot", **options)["data"]
        Path(path).write_bytes(base64.b64decode(data))
