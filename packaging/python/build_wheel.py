"""The build back end (PEP 517) of this package: it makes the wheel out of the files as they are."""

import base64
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

NAME, VERSION = "certwright-agent", "0.1.0"
SUMMARY = "What Python programs say to Certwright: the module `agent`, where no other has that name"

_HERE = Path(__file__).resolve().parent
_FOLDER = "certwright_agent"
_WHEEL = "%s-%s-py3-none-any.whl" % (_FOLDER, VERSION)
_INFO = "%s-%s.dist-info/" % (_FOLDER, VERSION)
_COMMANDS = "[console_scripts]\ncertwright-events = certwright_agent.events:main\n"
# Read by `site` at each start of the interpreter.
_PTH = "import certwright_agent; certwright_agent.offer()\n"


def _metadata():
    fields = [("Metadata-Version", "2.1"), ("Name", NAME), ("Version", VERSION),
              ("Summary", SUMMARY), ("License", "Apache-2.0"), ("Requires-Python", ">=3.9"),
              ("Description-Content-Type", "text/markdown")]
    head = "".join("%s: %s\n" % field for field in fields)
    return head + "\n" + (_HERE / "README.md").read_text(encoding="utf-8")


def _files():
    """{name in the wheel: bytes}, in a fixed order."""
    files = {path.relative_to(_HERE).as_posix(): path.read_bytes()
             for path in sorted((_HERE / _FOLDER).rglob("*.py"))}
    files["certwright-agent.pth"] = _PTH.encode()
    files[_INFO + "METADATA"] = _metadata().encode()
    files[_INFO + "entry_points.txt"] = _COMMANDS.encode()
    files[_INFO + "WHEEL"] = (b"Wheel-Version: 1.0\nGenerator: certwright\n"
                              b"Root-Is-Purelib: true\nTag: py3-none-any\n")
    return files


def _record(files):
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append("%s,sha256=%s,%d\n" % (name, digest, len(content)))
    return "".join(lines) + _INFO + "RECORD,,\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = _files()
    files[_INFO + "RECORD"] = _record(files).encode()
    with zipfile.ZipFile(Path(wheel_directory) / _WHEEL, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)  # of 1980, so that the same files make the same wheel
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    return _WHEEL


def build_sdist(sdist_directory, config_settings=None):
    root = "%s-%s" % (_FOLDER, VERSION)
    files = {path.relative_to(_HERE).as_posix(): path.read_bytes()
             for pattern in ("*.toml", "*.py", "*.md", _FOLDER + "/**/*.py")
             for path in sorted(_HERE.glob(pattern))}
    files["PKG-INFO"] = _metadata().encode()
    with tarfile.open(Path(sdist_directory) / (root + ".tar.gz"), "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo("%s/%s" % (root, name))
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return root + ".tar.gz"
