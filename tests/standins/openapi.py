"""Holds every exchange against GitHub's own published OpenAPI description.

The description is npm's @octokit/openapi. It is 28 MB to fetch and 13 MB of JSON for github.com alone, so the few
operations about runners and Apps are taken out once, with all that they refer to, and kept in the cache directory.
`.ci/setup node` fetches it by `package-lock.json`; `python -m standins.openapi` can do without that.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_schema_validator import OAS30Validator

from standins.cache import cache_dir
from standins.server import Request, Response

PACKAGE = "@octokit/openapi"
TESTS = Path(__file__).resolve().parents[1]
SCOPES = r"/repos/\{owner\}/\{repo\}|/orgs/\{org\}|/enterprises/\{enterprise\}"
RUNS = r"runs(/\{run_id\}(/rerun|/cancel|/attempts/\{attempt_number\}/jobs)?)?$|jobs/\{job_id\}/rerun$"
CHECKS = r"check-runs/\{check_run_id\}/annotations$"
APPS = r"/app/installations/\{installation_id\}/access_tokens$|/installation/token$"
CONTENTS = r"/repos/\{owner\}/\{repo\}(/contents/\{path\})?$"
RUNNERS = rf"(runners|runner-groups)(/|$)|{RUNS}"
KEPT = re.compile(rf"^({SCOPES})/(actions/({RUNNERS})|installation$|{CHECKS})|^({APPS}|{CONTENTS})")

# GitHub answers any operation with these, whether or not its description lists them for it:
# https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
COMMON_ERRORS = {401, 403, 404, 429, 500, 502, 503}
API_VERSIONS = {"2022-11-28", "2026-03-10"}


class Description:
    """The operations about runners and Apps, as GitHub describes them."""

    def __init__(self, document: dict[str, Any]) -> None:
        _let_nullable_enums_be_null(document)
        self._operations = [
            (_pattern(path), method.upper(), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        # `/runners/downloads` fits `/runners/{runner_id}` too: the template with fewer parameters means it.
        self._operations.sort(key=lambda one: one[0].groups)

    def violations(self, request: Request, response: Response | None) -> list[str]:
        """What the exchange does that the description does not allow; `response` may be left out."""
        path = urlsplit(request.target).path
        for pattern, method, operation in self._operations:
            match = pattern.match(path)
            if match and method == request.method:
                found = [
                    *_parameters(operation, match.groupdict(), request),
                    *_headers(request),
                    *_request_body(operation, request),
                ]
                if response is not None:
                    found += _response(operation, request, response)
                return [f"{request.method} {request.target}: {what}" for what in found]
        return [f"{request.method} {request.target}: GitHub describes no such operation"]


def _let_nullable_enums_be_null(schema: Any) -> None:
    """A `nullable` beside an `enum` without null is how GitHub writes that null is allowed."""
    if isinstance(schema, dict):
        if schema.get("nullable") is True and isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"].append(None)
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            _let_nullable_enums_be_null(part)


def _pattern(template: str) -> re.Pattern[str]:
    """A file's path has slashes of its own; no other parameter has."""
    whole = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return re.compile("^" + whole.replace("(?P<path>[^/]+)", "(?P<path>.+)") + "$")


def _parameters(operation: dict[str, Any], in_path: dict[str, str], request: Request) -> list[str]:
    declared = {(parameter["in"], parameter["name"]): parameter for parameter in operation.get("parameters", [])}
    query = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    given = [("path", name, value) for name, value in in_path.items()]
    given += [("query", name, value) for name, value in query.items()]
    found = []
    for where, name, value in given:
        parameter = declared.get((where, name))
        if parameter is None:
            found.append(f"{where} parameter `{name}` is not known")
        else:
            found += _errors(parameter["schema"], _typed(value, parameter["schema"]), f"{where} parameter `{name}`")
    if int(query.get("per_page", "1") or "0") > 100:
        found.append("query parameter `per_page` is above 100")
    missing = [n for (_, n), p in declared.items() if p.get("required") and n not in in_path and n not in query]
    return found + [f"parameter `{name}` is missing" for name in missing]


def _typed(value: str, schema: dict[str, Any]) -> Any:
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _headers(request: Request) -> list[str]:
    found = []
    if not request.headers.get("user-agent"):
        found.append("no User-Agent header: GitHub refuses such requests")
    version = request.headers.get("x-github-api-version")
    if version is not None and version not in API_VERSIONS:
        found.append(f"X-GitHub-Api-Version `{version}` is not one of {sorted(API_VERSIONS)}")
    accept = request.headers.get("accept", "*/*")
    if not any(kind in accept for kind in ("*/*", "application/json", "application/vnd.github")):
        found.append(f"Accept `{accept}` takes no JSON")
    return found


def _request_body(operation: dict[str, Any], request: Request) -> list[str]:
    wanted = operation.get("requestBody")
    if wanted is None:
        return ["a body where none is described"] if request.body else []
    if not request.body:
        return ["the body is missing"] if wanted.get("required") else []
    if "json" not in request.headers.get("content-type", ""):
        return [f"Content-Type `{request.headers.get('content-type', '')}` is not JSON"]
    try:
        body = request.json()
    except ValueError as error:
        return [f"the body is no JSON: {error}"]
    schema = wanted["content"]["application/json"]["schema"]
    unknown = sorted(set(body) - set(schema.get("properties", {}))) if isinstance(body, dict) else []
    return _errors(schema, body, "body") + [f"body: property `{name}` is not known" for name in unknown]


def _response(operation: dict[str, Any], request: Request, response: Response) -> list[str]:
    status = response.status
    if status == 304:
        asked = "if-none-match" in request.headers or "if-modified-since" in request.headers
        return [] if asked else ["304 to a request without a condition"]
    described = operation["responses"].get(str(status))
    if described is None:
        if status not in COMMON_ERRORS:
            return [f"status {status} is not described"]
        described = {"content": {"application/json": {"schema": _BASIC_ERROR}}}
    content = described.get("content", {}).get("application/json")
    if content is None:
        return [f"a body with status {status}, which has none"] if response.body else []
    try:
        return _errors(content["schema"], json.loads(response.body), f"answer {status}")
    except ValueError as error:
        return [f"answer {status} is no JSON: {error}"]


_BASIC_ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}, "documentation_url": {"type": "string"}},
}
_validators: dict[int, tuple[dict[str, Any], OAS30Validator]] = {}


def _errors(schema: dict[str, Any], value: Any, where: str) -> list[str]:
    # Keyed by identity, and the schema is kept beside its validator so that the identity stays its own.
    _, validator = _validators.setdefault(id(schema), (schema, OAS30Validator(schema)))
    return [f"{where}{error.json_path.removeprefix('$')}: {error.message}" for error in validator.iter_errors(value)]


# --- taking it out of the package --------------------------------------------------------------------------------


def extract(generated: Path) -> dict[str, Any]:
    """What is `KEPT` of the package's files, with every reference replaced by what it refers to."""
    paths: dict[str, Any] = {}
    # Enterprises have no runners on github.com's own page; they are in Enterprise Cloud's.
    everywhere = ("/repos/", "/orgs/", "/app/", "/installation/")
    for name, prefixes in (("api.github.com.json", everywhere), ("ghec.json", ("/enterprises/",))):
        document = json.loads((generated / name).read_text())
        for path, methods in document["paths"].items():
            if KEPT.match(path) and path.startswith(prefixes):
                paths[path] = {
                    method: _slim(_resolved(operation, document))
                    for method, operation in methods.items()
                    if method in ("get", "post", "put", "patch", "delete")
                }
    if len(paths) < 20:
        raise RuntimeError(f"{PACKAGE} has {len(paths)} paths about runners; it has changed its shape")
    return {"paths": paths}


def _resolved(value: Any, document: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            target: Any = document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            return _resolved(target, document)
        # Examples are no part of the rules, and their references lead far; discriminators only say where a rule is.
        dropped = ("examples", "example", "discriminator")
        return {key: _resolved(one, document) for key, one in value.items() if key not in dropped}
    if isinstance(value, list):
        return [_resolved(one, document) for one in value]
    return value


def _slim(operation: dict[str, Any]) -> dict[str, Any]:
    return {
        key: operation[key] for key in ("operationId", "parameters", "requestBody", "responses") if key in operation
    }


def extract_path() -> Path:
    # What is kept is in the name: another choice makes another extract.
    kept = hashlib.sha256(KEPT.pattern.encode()).hexdigest()[:8]
    return cache_dir() / f"github-openapi-{version()}-{kept}.json"


def version() -> str:
    """The one pinned in package.json."""
    return json.loads((TESTS / "package.json").read_text())["dependencies"][PACKAGE]


def available() -> bool:
    """Whether exchanges can be held against the description without fetching anything."""
    return extract_path().exists() or generated(cache_dir() / "node") is not None


def generated(prefix: Path) -> Path | None:
    """The package's files below an npm prefix, if they are of the pinned version."""
    package = prefix / "node_modules" / PACKAGE
    manifest = package / "package.json"
    fits = manifest.exists() and json.loads(manifest.read_text())["version"] == version()
    return package / "generated" if fits else None


def install() -> Path:
    """Answers where the extract is; makes it first, from npm's package, where it is not there yet."""
    kept = extract_path()
    if kept.exists():
        return kept
    installed = generated(cache_dir() / "node")
    if installed is None and shutil.which("npm") is None:
        raise FileNotFoundError(f"npm is missing, which fetches {PACKAGE}: run `.ci/setup node`")
    with tempfile.TemporaryDirectory(dir=cache_dir()) as name:
        folder = Path(name)
        if installed is None:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(TESTS / file, folder)
            command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            installed = generated(folder)
        assert installed is not None, f"npm installed no {PACKAGE} {version()}"
        partial = folder / "extract.json"
        partial.write_text(json.dumps(extract(installed)))
        partial.rename(kept)
    return kept


@cache
def load() -> Description:
    return Description(json.loads(install().read_text()))


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")
