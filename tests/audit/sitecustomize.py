"""What a stage reads, written down while it runs.

Python imports this module at its start where its folder is on ``PYTHONPATH``: in the
command line, in the kernel that executes a stage's notebook, and in their workers. With
``AUDIT_FOLDER`` set, every file of the project that a stage opens for reading, and
every section of the parameters that it reads, become lines of a file in that folder.
The file is named after the stage's ``--out``, which ``dvc.yaml`` gives it.
"""

import hashlib
import importlib.util
import os
import sys


def start(folder: str) -> None:
    words = sys.orig_argv
    if "sslmepr" in words and "--out" in words:
        os.environ["AUDIT_STAGE"] = words[words.index("--out") + 1]
        os.environ["AUDIT_ROOT"] = os.getcwd()
    elif words[-2:] == ["sslmepr", "book"]:
        os.environ |= {"AUDIT_STAGE": "book", "AUDIT_ROOT": os.getcwd()}
    seen = set()

    def note(kind: str, name: str) -> None:
        # A fork takes over the stage of the program in whose place it runs.
        stage = os.environ.get("AUDIT_STAGE")
        if stage and (stage, kind, name) not in seen:
            seen.add((stage, kind, name))
            path = os.path.join(folder, hashlib.md5(stage.encode()).hexdigest())
            log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(log, f"{kind} {name}\n".encode(errors="surrogateescape"))
            os.close(log)

    def hook(event: str, values: tuple) -> None:
        if event != "open" or not isinstance(values[0], str | os.PathLike):
            return
        path, mode, flags = values
        if set(mode or "") & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR):
            return
        root = os.path.join(os.environ.get("AUDIT_ROOT", "/no/stage"), "")
        path = os.path.abspath(path)
        if path.startswith(root):
            note("file", path.removeprefix(root))

    sys.addaudithook(hook)
    sys.meta_path.insert(0, Parameters(note))


class Parameters:
    """Has the parameters say which of their sections are read once they are loaded."""

    def __init__(self, note):
        self._note = note

    def find_spec(self, name, path=None, target=None):
        if name != "sslmepr.params":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self._record(module)

        spec.loader.exec_module = exec_module
        return spec

    def _record(self, module):
        note, read = self._note, module.Params.__getattribute__
        depth = [0]  # of functions that read whatever there is, to check it

        def recorded(params, name):
            if not depth[0] and name in type(params).model_fields:
                note("section", name)
            return read(params, name)

        def unseen(function):
            def called(*args, **kwargs):
                depth[0] += 1
                try:
                    return function(*args, **kwargs)
                finally:
                    depth[0] -= 1

            return called

        module.Params.__getattribute__ = recorded
        for name in ("for_study", "changed"):
            setattr(module.Params, name, unseen(getattr(module.Params, name)))
        module.load = unseen(module.load)


if "AUDIT_FOLDER" in os.environ:
    start(os.environ["AUDIT_FOLDER"])
