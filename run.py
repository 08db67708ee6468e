#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""One file to start from: makes .venv, installs what the locks name, fetches the page libraries, starts a command.

    python3 run.py            the training desk: everything visible working, no secret needed
    python3 run.py work       the work desk
    python3 run.py test       everything that CI checks
    python3 run.py WORD …     any other command of the product (collect, export, backup, check …)

Options before or after the word: --config PATH, --port N, --var DIR (or OTKLIK_CONFIG, OTKLIK_PORT, OTKLIK_VAR).
Standard library only, and readable by old Pythons, so that they can be told what is missing.
"""

from __future__ import print_function

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
WINDOWS = os.name == "nt"
PYTHON = os.path.join(VENV, "Scripts" if WINDOWS else "bin", "python.exe" if WINDOWS else "python")
OPTIONS = {"--config": "OTKLIK_CONFIG", "--port": "OTKLIK_PORT", "--var": "OTKLIK_VAR"}


def say(words):
    print(words)
    sys.stdout.flush()


def fail(words):
    print(words, file=sys.stderr)
    sys.exit(2)


def read(name):
    with open(os.path.join(ROOT, name), "rb") as file:
        return file.read()


def take_options(words):
    """Moves --config, --port and --var from the command line into the environment; returns the other words."""
    rest, waiting = [], list(words)
    while waiting:
        word = waiting.pop(0)
        name, sign, value = word.partition("=")
        if name not in OPTIONS:
            rest.append(word)
            continue
        if not sign:
            if not waiting:
                fail(
                    "%s needs a value, for example: python3 run.py %s %s"
                    % (name, name, "8100" if name == "--port" else "PATH")
                )
            value = waiting.pop(0)
        if name == "--port" and not (value.isdigit() and int(value) < 65536):
            fail("--port takes a number below 65536, not %r." % value)
        os.environ[OPTIONS[name]] = value if name == "--port" else os.path.abspath(value)
    return rest


def run(command, doing):
    if subprocess.call(command, cwd=ROOT) != 0:
        fail(
            "%s failed (see above).\nWithout a network, or behind a proxy, set HTTPS_PROXY or UV_DEFAULT_INDEX to "
            "a mirror (SSL_CERT_FILE and NODE_EXTRA_CA_CERTS where the proxy has a certificate of its own), then "
            "start again: what is already there is kept." % doing
        )


def make_venv():
    if os.path.exists(PYTHON):
        return
    say("· making .venv with Python %d.%d" % sys.version_info[:2])
    if subprocess.call([sys.executable, "-m", "venv", VENV]) != 0 or not os.path.exists(PYTHON):
        fail(
            "The module venv is missing or cannot write to %s.\nOn Debian: apt install python3-venv, then start "
            "again." % ROOT
        )


def install(lock):
    """Installs a lock with its hashes, once: the stamp holds the hash of what was installed."""
    stamp = os.path.join(VENV, lock + ".stamp")
    wanted = hashlib.sha256(read(lock)).hexdigest()
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return
    make_venv()
    try:
        has_uv = subprocess.call([PYTHON, "-c", "import uv"], stderr=subprocess.DEVNULL) == 0
    except OSError:
        has_uv = False
    if not has_uv:
        say("· fetching the installer (uv)")
        run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv>=0.8"], "Fetching uv")
    say("· installing %s (hashes checked)" % lock)
    run(
        [
            PYTHON,
            "-m",
            "uv",
            "pip",
            "install",
            "--python",
            PYTHON,
            "--require-hashes",
            "--compile-bytecode",
            "-r",
            lock,
        ],
        "Installing the packages",
    )
    with open(stamp, "w") as file:
        file.write(wanted)


class Assets:
    """The libraries of the pages, fetched where that has not been done for these versions."""

    def __init__(self):
        self.script = os.path.join("assets", "install.py")
        self.stamp = os.path.join(ROOT, "web", "static", "vendor", "stamp")
        names = ("package-lock.json", "install.py", "icons.txt", "tabler.txt")
        self.wanted = hashlib.sha256(b"".join([read("assets/" + name) for name in names])).hexdigest()
        self.beside = None

    def are_there(self):
        return os.path.exists(self.stamp) and open(self.stamp).read().strip() == self.wanted

    def begin(self):
        """Fetches them beside the packages, where Node is on the machine: it takes a third of the first start."""
        if not self.are_there():
            self.beside = subprocess.Popen([sys.executable, self.script, "--beside"], cwd=ROOT)

    def end(self):
        """Waits for that, or fetches them now, with the Node that the environment brings."""
        if self.are_there():
            return
        if self.beside is None or self.beside.wait() != 0:
            run([PYTHON, self.script, "--python", PYTHON], "Fetching the page libraries")
        with open(self.stamp, "w") as file:
            file.write(self.wanted)

    def stop(self):
        if self.beside is not None and self.beside.poll() is None:
            self.beside.terminate()


def main():
    if sys.version_info < (3, 11):
        fail(
            "Otklik needs Python 3.11 or newer; this is %d.%d (%s).\nInstall a newer one, then: python3.11 run.py"
            % (sys.version_info[0], sys.version_info[1], sys.executable)
        )
    words = take_options(sys.argv[1:])
    assets = None
    try:
        assets = Assets()
        assets.begin()
        install("requirements.lock")
        if words[:1] == ["test"]:
            install("requirements-dev.lock")
        assets.end()
    except OSError as error:
        fail("%s: %s.\nThe folder of the project must be writable by you." % (error.filename, error.strerror))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if assets is not None:
            assets.stop()
    if words[:1] == ["test"]:
        command = [PYTHON, os.path.join(ROOT, "tests", "run_all.py")] + words[1:]
    else:
        command = [PYTHON, "-m", "cli"] + (words or ["up"])
    os.chdir(ROOT)
    if WINDOWS:
        sys.exit(subprocess.call(command))
    os.execv(PYTHON, command)


if __name__ == "__main__":
    main()
