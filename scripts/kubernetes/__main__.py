"""Checks of rendered manifests that no schema has: python3 scripts/kubernetes SECRET MANIFESTS...

Prints where the manifests of failover contradict each other or its configuration, and exits 1 if they do.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


def main() -> None:
    secret, *files = sys.argv[1:]
    keys = set(yaml.safe_load(Path(secret).read_text())["stringData"])
    found = [f"{file}: {problem}" for file in files for problem in problems(documents(file), keys)]
    print("".join(f"{line}\n" for line in found), end="")
    sys.exit(1 if found else 0)


def documents(file: str) -> list[Document]:
    return [document for document in yaml.safe_load_all(Path(file).read_text()) if document]


def problems(all_documents: list[Document], secret_keys: set[str]) -> Iterator[str]:
    def of(kind: str) -> list[Document]:
        return [document for document in all_documents if document["kind"] == kind]

    maps = {document["metadata"]["name"]: document["data"] for document in of("ConfigMap")}
    if not of("Deployment"):
        yield "no Deployment"
    for deployment in of("Deployment"):
        pod = deployment["spec"]["template"]
        container = failover_container(pod["spec"])
        if container is None:
            yield "no container failover, or one that ends"
            continue
        text: Document = maps.get(
            volume_at("/etc/failover", pod["spec"], container).get("configMap", {}).get("name"), {}
        )
        if "failover.yaml" not in text:
            yield "no failover.yaml at /etc/failover"
            continue
        configuration = yaml.safe_load(text["failover.yaml"])
        yield from security_problems(pod["spec"], container)
        yield from probe_problems(container, configuration)
        yield from grace_problems(pod["spec"], container, configuration)
        yield from secret_problems(pod["spec"], container, text["failover.yaml"], secret_keys)
        yield from certificate_problems(pod["spec"], container, configuration)
        for service in of("Service"):
            yield from service_problems(service["spec"], pod["metadata"]["labels"], container, configuration)
        for budget in of("PodDisruptionBudget"):
            if not selects(budget["spec"]["selector"]["matchLabels"], pod["metadata"]["labels"]):
                yield "the PodDisruptionBudget selects no pod"


def failover_container(spec: Document) -> Document | None:
    staying = [one for one in spec.get("initContainers", []) if one.get("restartPolicy") == "Always"]
    return next((one for one in staying + spec["containers"] if one["name"] == "failover"), None)


def volume_at(path: str, spec: Document, container: Document) -> Document:
    name = next((mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == path), None)
    return next((volume for volume in spec["volumes"] if volume["name"] == name), {})


def security_problems(spec: Document, container: Document) -> Iterator[str]:
    context = spec.get("securityContext", {}) | container.get("securityContext", {})
    wanted = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for key, value in wanted.items():
        if context.get(key) != value:
            yield f"securityContext: {key} is {context.get(key)}, not {value}"


def probe_problems(container: Document, configuration: Document) -> Iterator[str]:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    open_ports = ports_beyond_loopback(configuration["admin"]["listen"])
    for probe, path in {"livenessProbe": "/livez", "readinessProbe": "/readyz", "startupProbe": "/readyz"}.items():
        if probe == "startupProbe" and probe not in container:
            continue
        request = container.get(probe, {}).get("httpGet", {})
        if request.get("path") != path or ports.get(request.get("port")) not in open_ports:
            yield f"{probe} asks for {request}, not {path} at one of {open_ports}"


def grace_problems(spec: Document, container: Document, configuration: Document) -> Iterator[str]:
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    grace = re.fullmatch(r"(\d+)s", configuration["shutdown_grace"])
    if grace is None:
        yield "shutdown_grace is not in whole seconds"
        return
    least = int(grace[1]) + sleep
    if spec.get("terminationGracePeriodSeconds", 30) <= least:
        yield f"terminationGracePeriodSeconds must be more than {least}"


def secret_problems(spec: Document, container: Document, text: str, keys: set[str]) -> Iterator[str]:
    for path in map(Path, re.findall(r"\{file: ([^}]+)\}", text)):
        if "secret" not in volume_at(str(path.parent), spec, container) or path.name not in keys:
            yield f"no secret at {path}"


def certificate_problems(spec: Document, container: Document, configuration: Document) -> Iterator[str]:
    """The files of `client_tls` are those of a Secret of the type kubernetes.io/tls."""
    for service in configuration["services"].values():
        if "client_tls" not in service:
            continue
        for key, name in {"certificate": "tls.crt", "key": "tls.key"}.items():
            path = Path(service["client_tls"][key])
            if path.name != name or "secret" not in volume_at(str(path.parent), spec, container):
                yield f"no {name} of a secret at {path}"


def service_problems(spec: Document, labels: Document, container: Document, configuration: Document) -> Iterator[str]:
    if not selects(spec["selector"], labels):
        yield "the Service selects no pod"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    served = {ports.get(port["targetPort"]) for port in spec["ports"]}
    routes = [service for service in configuration["services"].values() if service["type"] == "database"]
    listening = {port for route in routes for port in ports_beyond_loopback(route["listen"])}
    if served != listening:
        yield f"the Service leads to {served}, the routes listen on {listening}"


def ports_beyond_loopback(listen: str | list[str]) -> set[int]:
    addresses = [listen] if isinstance(listen, str) else listen
    matches = [re.fullmatch(r"(?:\*|\[::\]|0\.0\.0\.0):(\d+)", address) for address in addresses]
    return {int(match[1]) for match in matches if match}


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


if __name__ == "__main__":
    main()
