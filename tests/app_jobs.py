"""What a worker's process does in tests of it."""

import os
import time

from sslmepr.app.intake import AppError


def make(refuses=False):
    if refuses:
        raise AppError("There are no models.")
    return answer


def answer(question, tell):
    what = question["do"]
    if what == "add":
        tell(1, "adding", None)
        return {"sum": question["a"] + question["b"], "process": os.getpid()}
    if what == "sleep":
        print("/secret/place/name.mp4", flush=True)
        time.sleep(600)
    if what == "grow":
        held = []
        while True:
            held.append(bytearray(2**22))
            held[-1][::4096] = b"x" * (2**22 // 4096)
            time.sleep(0.01)
    if what == "die":
        os._exit(3)
    if what == "refuse":
        raise AppError("No.")
    raise ValueError("/secret/place/name.mp4")
