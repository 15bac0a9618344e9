"""How the JavaScript clients are installed and run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients import javascript


def test_the_lock_pins_by_content_and_names_no_registry() -> None:
    lock = json.loads((javascript.HERE / "package-lock.json").read_text("utf-8"))
    manifest = json.loads((javascript.HERE / "package.json").read_text("utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert lock["packages"][""]["dependencies"] == manifest["dependencies"]
    assert packages.keys() >= {f"node_modules/{name}" for name in manifest["dependencies"]}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


def test_a_machine_without_node_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match=r"node was not found: .* Node\.js 20 or later"):
        javascript.install(tmp_path)


def test_an_old_node_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.0\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match=r"Node\.js v18\.20\.0 is too old"):
        javascript.install(tmp_path)


def test_what_is_installed_is_kept(script: Path) -> None:
    module = script.parent / "node_modules/@supabase/postgrest-js/package.json"
    before = module.stat().st_mtime_ns
    assert javascript.install(script.parent) == script
    assert module.stat().st_mtime_ns == before
