"""What runs the code: containers, lock files, Makefile; and that the documentation names all there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from service import catalog
from service.cli import app
from service.commands.config import table
from service.commands.demo import requests
from service.config import variables
from service.demo.shop import PRODUCTS, Shop

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
LOCKS = ("requirements.lock", "requirements-dev.lock")
DATABASES = {"api-postgres": "postgres", "api-mongodb": "mongodb"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")


def default(value: str) -> str:
    """The text with Compose's `${NAME:-default}` put in as when no variable is set."""
    return re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value)


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^ ]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))


def commands(command: Any, *names: str) -> list[str]:
    """The full names of all commands below this one."""
    if hasattr(command, "commands"):
        return [line for name, each in command.commands.items() for line in commands(each, *names, name)]
    return [" ".join(names)]


def has_compose() -> bool:
    asked = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(asked, capture_output=True, check=False).returncode == 0


class TestCompose:
    def test_the_services_differ_only_in_their_backend(self, compose: dict[str, Any]) -> None:
        postgres, mongodb = (dict(compose["services"][name]) for name in DATABASES)
        assert postgres.pop("environment").pop("DIGLOT_BACKEND") == "postgres"
        assert mongodb.pop("environment").pop("DIGLOT_BACKEND") == "mongodb"
        for service, port in ((postgres, 8001), (mongodb, 8002)):
            assert service.pop("ports") == [f"127.0.0.1:{port}:8000"]
            service.pop("depends_on")
        assert postgres == mongodb

    @pytest.mark.parametrize(("api", "database"), DATABASES.items())
    def test_an_api_waits_for_its_database(self, compose: dict[str, Any], api: str, database: str) -> None:
        assert compose["services"][api]["depends_on"] == {database: {"condition": "service_healthy"}}
        assert compose["services"][database]["healthcheck"]["test"][0] == "CMD"

    @pytest.mark.parametrize("database", DATABASES.values())
    def test_databases_are_not_published_and_keep_their_data(self, compose: dict[str, Any], database: str) -> None:
        service = compose["services"][database]
        assert "ports" not in service
        volume, target = service["volumes"][0].split(":")
        assert volume in compose["volumes"]
        assert target == {"postgres": "/var/lib/postgresql", "mongodb": "/data/db"}[database]

    @pytest.mark.parametrize("api", DATABASES)
    def test_passwords_match(self, compose: dict[str, Any], api: str) -> None:
        environment, services = compose["services"][api]["environment"], compose["services"]
        password = default(services["postgres"]["environment"]["POSTGRES_PASSWORD"])
        assert default(environment["DIGLOT_POSTGRES_URL"]) == f"postgresql://diglot:{password}@postgres:5432/diglot"
        password = default(services["mongodb"]["environment"]["MONGODB_PASSWORD"])
        url = f"mongodb://diglot:{password}@mongodb:27017/diglot?replicaSet=rs0"
        assert default(environment["DIGLOT_MONGODB_URL"]) == url

    def test_settings_are_known(self, compose: dict[str, Any]) -> None:
        known = {variable.name for variable in variables()}
        for api in DATABASES:
            assert set(compose["services"][api]["environment"]) <= known

    @pytest.mark.parametrize("api", DATABASES)
    def test_apis_have_no_privileges(self, compose: dict[str, Any], api: str) -> None:
        service = compose["services"][api]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]

    def test_mongodb_is_a_replica_set_with_a_key(self, compose: dict[str, Any]) -> None:
        service = compose["services"]["mongodb"]
        (script,) = service["command"]
        assert "mongod --replSet rs0 --bind_ip_all --keyFile /data/configdb/key" in script
        assert "chmod 400 /data/configdb/key" in script
        ready = (ROOT / "docker/mongodb-ready.js").read_text("utf-8")
        assert '{ _id: "rs0", members: [{ _id: 0, host: "mongodb:27017" }] }' in ready
        for name in re.findall(r"process\.env\.(\w+)", ready):
            assert name in service["environment"]
        assert service["healthcheck"]["test"][-1] == service["volumes"][1].split(":")[1]

    def test_variables_are_documented(self) -> None:
        used = set(re.findall(r"\$\{(\w+):-", (ROOT / "docker-compose.yml").read_text("utf-8")))
        example = (ROOT / ".env.example").read_text("utf-8")
        assert used == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))

    @pytest.mark.skipif(not has_compose(), reason="needs Docker's client with Compose; the other tests need nothing")
    def test_the_client_accepts_it(self) -> None:
        run = subprocess.run(["docker", "compose", "config", "--quiet"], cwd=ROOT, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr


class TestDockerfile:
    def test_installs_only_what_is_locked(self, dockerfile: str) -> None:
        assert "pip download --require-hashes --only-binary :all:" in dockerfile
        others = [line for line in dockerfile.splitlines() if re.search(r"pip\b.* (install|wheel) ", line)]
        assert others
        assert all("--no-index" in line for line in others)

    def test_is_not_run_by_root(self, dockerfile: str) -> None:
        (user,) = re.findall(r"^USER (\d+):\d+$", dockerfile, re.MULTILINE)
        assert int(user) > 0
        assert dockerfile.index("\nUSER ") > dockerfile.rindex("\nRUN ")

    def test_is_reachable_and_checks_itself(self, dockerfile: str) -> None:
        known = {variable.name for variable in variables()}
        settings = dict(re.findall(r"(DIGLOT_\w+)=(\S+)", dockerfile))
        assert set(settings) <= known
        assert settings["DIGLOT_HOST"] == "0.0.0.0"
        assert re.search(r"^HEALTHCHECK (?s:.)*/health/ready", dockerfile, re.MULTILINE)
        assert 'ENTRYPOINT ["diglot"]\nCMD ["serve"]' in dockerfile

    def test_copies_only_what_the_context_has(self, dockerfile: str) -> None:
        allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
        copied = {
            source
            for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
            for source in line.split()
        }
        assert copied == allowed
        assert all((ROOT / name).exists() for name in copied)


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_every_pin_has_a_hash_and_no_address(self, lock: str) -> None:
        text = (ROOT / lock).read_text("utf-8")
        assert not re.search(r"://|^-|@ ", text, re.MULTILINE)
        entries = re.split(r"\n(?=\S)", text.strip())
        assert len(entries) == len(pins(lock)) > 20
        assert all("--hash=sha256:" in entry for entry in entries)

    def test_they_agree(self) -> None:
        small, large = (pins(lock) for lock in LOCKS)
        assert small.items() < large.items()

    def test_they_hold_all_that_the_project_names(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
        named = {re.split(r"[\[>]", requirement)[0] for requirement in requirements} - {"diglot"}
        assert named <= pins("requirements-dev.lock").keys()


class TestDocumentation:
    def test_settings(self) -> None:
        assert table() in README

    @pytest.mark.parametrize("command", commands(typer.main.get_command(app)))
    def test_commands(self, command: str) -> None:
        assert f"`diglot {command}" in README

    def test_requests_of_the_demo(self) -> None:
        for path in requests(Shop(PRODUCTS)):
            assert re.search(rf"curl '?http://localhost:8000/api/{re.escape(path)}'?\n", README)

    def test_resource_file(self, tmp_path: Path) -> None:
        (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
        path = tmp_path / "resources.yaml"
        path.write_text(example, "utf-8")
        assert list(catalog.load(path).resources) == ["authors", "books"]

    def test_error_codes(self) -> None:
        sources = [*(ROOT / "service").rglob("*.py"), ROOT / "repositories/errors.py"]
        texts = [source.read_text("utf-8") for source in sources]
        codes = {code for text in texts for code in re.findall(r'"(PGRST\d{3}|[0-9X][0-9A-Z]{4})"', text)}
        assert "23505" in codes
        page = (ROOT / "docs/errors.md").read_text("utf-8")
        missing = sorted(code for code in codes if f"`{code}`" not in page)
        assert not missing

    def test_make_targets(self) -> None:
        makefile = (ROOT / "Makefile").read_text("utf-8")
        for target in re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE):
            assert f"`make {target}" in README, target

    def test_links_lead_somewhere(self) -> None:
        for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]:
            for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
