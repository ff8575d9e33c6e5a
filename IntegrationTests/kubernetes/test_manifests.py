"""Checks what k8s.generate_manifest writes with readers that are not ours."""

import random
import re
from fractions import Fraction
from math import ceil

import kubernetes_validate
import pytest
import yaml

VERSIONS = ["1.30", "1.34", kubernetes_validate.latest_version()]
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture(scope="session")
def generate(gantry):
    """Calls the tool over REST and returns the status and the answer."""

    def call(arguments):
        status, _, answer = gantry.post_json("/tools/k8s.generate_manifest", arguments)
        return status, answer

    return call


def varied_inputs():
    """50 inputs: the edges of every argument, then random combinations that are the same in every run."""
    base = {"app_name": "web-shop", "image": "registry.example.com/web-shop:1.4.2", "container_port": 8080}
    inputs = [
        base,
        base | {"app_name": "a"},
        base | {"app_name": "null"},
        base | {"app_name": "y"},
        base | {"app_name": "on"},
        base | {"app_name": "a" * 52},
        base | {"app_name": "a" + "-" * 50 + "9"},
        base | {"image": "nginx"},
        base | {"image": "host:5000/img"},
        base | {"image": "img:1e3"},
        base | {"image": "img:0x1F"},
        base | {"image": f"img@{DIGEST}"},
        base | {"image": f"[2001:db8::1]:5000/a/b__c:CPU-PORT-MEMORY@{DIGEST}"},
        base | {"image": "img:" + "_" * 128},
        base | {"image": "img:" + "1." * 64},
        base | {"replicas": 1},
        base | {"replicas": 10},
        base | {"container_port": 1},
        base | {"container_port": 65535},
        base | {"resource_limits": {"cpu": "1"}},
        base | {"resource_limits": {"memory": "1.1Gi"}},
        base | {"resource_limits": {"cpu": "0.0001", "memory": "129e6"}},
        base | {"resource_limits": {}},
    ]
    generator = random.Random(2026)
    while len(inputs) < 50:
        name = "".join(generator.choice("abcxyz0189-") for _ in range(generator.randint(1, 50)))
        inputs.append(
            {
                "app_name": "a" + name + "z",
                "image": generator.choice(["nginx", "localhost:5000/a/b", "ghcr.io/team/app", "10.0.0.1/x"])
                + generator.choice(["", ":latest", ":1.10", ":2026-11-23", ":v1_0-rc.1", f"@{DIGEST}", f":1@{DIGEST}"]),
                "replicas": generator.randint(1, 10),
                "container_port": generator.randint(1, 65535),
                "service_type": generator.choice(["ClusterIP", "NodePort", "LoadBalancer"]),
                "resource_limits": {
                    "cpu": generator.choice(["1", "3", "0.25", ".5", "125m", "3m", "2E-1", "1.5", "1500m", "100u"]),
                    "memory": generator.choice(["512Mi", "1.5Gi", "3Mi", "1Ki", "300M", "1.5G", "1.1Gi", "5e7", "7E", "1"]),
                },
            }
        )
    return inputs


SUFFIXES = {"": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000)}
SUFFIXES |= {letter: Fraction(1000 ** (power + 1)) for power, letter in enumerate("kMGTPE")}
SUFFIXES |= {letter + "i": Fraction(1024 ** (power + 1)) for power, letter in enumerate("KMGTPE")}


def amount(text):
    """The value of a quantity, by the grammar of apimachinery."""
    number, suffix, exponent = re.fullmatch(
        r"[+]?(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i|)|[eE]([+-]?\d+))", text
    ).groups()
    return Fraction(number) * (SUFFIXES[suffix] if exponent is None else Fraction(10) ** int(exponent))


def restricted_problems(pod):
    """What the restricted Pod Security Standard would refuse, for the fields that the tool can write."""
    problems = []
    allowed_volumes = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            problems.append(field)
    for volume in pod.get("volumes", []):
        if set(volume) - {"name"} - allowed_volumes:
            problems.append(f"volume {volume['name']}")
    shared = pod.get("securityContext", {})
    for container in pod["containers"] + pod.get("initContainers", []):
        own = container.get("securityContext", {})
        context = shared | own
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
            problems.append("runs as root")
        if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            problems.append("seccomp")
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            problems.append("privileges")
        capabilities = own.get("capabilities", {})
        if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            problems.append("capabilities")
        if any("hostPort" in port for port in container.get("ports", [])):
            problems.append("hostPort")
    return problems


@pytest.mark.parametrize("arguments", varied_inputs(), ids=lambda arguments: arguments["app_name"][:20])
def test_manifest_is_valid(generate, arguments):
    status, result = generate(arguments)
    assert status == 200, result
    deployment, service = documents = list(yaml.safe_load_all(result["manifest"]))

    for document in documents:
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)
        assert "namespace" not in document["metadata"]
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", document["metadata"]["name"])
        for key, value in document["metadata"]["labels"].items():
            assert re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value), key
    assert [document["kind"] for document in documents] == ["Deployment", "Service"]
    assert result["objects"] == [{"kind": d["kind"], "name": d["metadata"]["name"]} for d in documents]
    name = arguments["app_name"]
    assert [d["metadata"]["name"] for d in documents] == [f"{name}-deployment", f"{name}-service"]

    spec = deployment["spec"]
    template = spec["template"]
    pod_labels = template["metadata"]["labels"].items()
    assert spec["replicas"] == arguments.get("replicas", 2)
    assert spec["selector"]["matchLabels"].items() <= pod_labels
    assert service["spec"]["selector"].items() <= pod_labels
    assert service["spec"]["type"] == arguments.get("service_type", "ClusterIP")
    assert [(p["port"], p["targetPort"]) for p in service["spec"]["ports"]] == [(80, arguments["container_port"])]

    (container,) = template["spec"]["containers"]
    assert container["image"] == arguments["image"]
    assert [port["containerPort"] for port in container["ports"]] == [arguments["container_port"]]
    assert container["livenessProbe"] != container["readinessProbe"]
    assert restricted_problems(template["spec"]) == []

    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    given = {"cpu": "500m", "memory": "512Mi"} | arguments.get("resource_limits", {})
    for resource, step in (("cpu", Fraction(1, 1000)), ("memory", Fraction(1))):
        asked, limit, request = (amount(text) for text in (given[resource], limits[resource], requests[resource]))
        # A fraction of a large unit becomes a whole number of the unit below, so up to one of those more.
        assert asked <= limit < asked + max(step, asked / 500)
        assert request == ceil(limit / step / 2) * step
    assert requests.keys() == limits.keys()

    codes = [warning["code"] for warning in result["warnings"]]
    assert ("image_not_pinned" in codes) == ("@" not in arguments["image"])
    assert ("privileged_port" in codes) == (arguments["container_port"] < 1024)
    assert ("node_port" in codes) == (arguments.get("service_type") == "NodePort")


GOOD = {"app_name": "web-shop", "image": "nginx:1.27", "container_port": 8080}
REFUSED = [
    ({}, {"/app_name", "/image", "/container_port"}),
    (GOOD | {"app_name": "Web"}, {"/app_name"}),
    (GOOD | {"app_name": "9web"}, {"/app_name"}),
    (GOOD | {"app_name": "web-"}, {"/app_name"}),
    (GOOD | {"app_name": "web\nkind: Secret"}, {"/app_name"}),
    (GOOD | {"app_name": "a" * 53}, {"/app_name"}),
    (GOOD | {"image": "https://registry.example.com/web"}, {"/image"}),
    (GOOD | {"image": "nginx:1\nprivileged: true"}, {"/image"}),
    (GOOD | {"image": "Nginx"}, {"/image"}),
    (GOOD | {"container_port": 0}, {"/container_port"}),
    (GOOD | {"container_port": 65536}, {"/container_port"}),
    (GOOD | {"container_port": "8080"}, {"/container_port"}),
    (GOOD | {"replicas": 0}, {"/replicas"}),
    (GOOD | {"replicas": 11}, {"/replicas"}),
    (GOOD | {"service_type": "clusterip"}, {"/service_type"}),
    (GOOD | {"resource_limits": {"memory": "1gb"}}, {"/resource_limits/memory"}),
    (GOOD | {"resource_limits": {"cpu": "1Gi", "memory": "500m"}}, {"/resource_limits/cpu", "/resource_limits/memory"}),
    (GOOD | {"resource_limits": {"disk": "1Gi"}}, {"/resource_limits/disk"}),
    (GOOD | {"namespace": "default"}, {"/namespace"}),
    (
        {
            "app_name": "Web Shop",
            "image": "Team/Web:",
            "replicas": 0,
            "container_port": 0,
            "service_type": "Ingress",
            "resource_limits": {"cpu": "-1", "memory": "1gb"},
        },
        {
            "/app_name",
            "/image",
            "/replicas",
            "/container_port",
            "/service_type",
            "/resource_limits/cpu",
            "/resource_limits/memory",
        },
    ),
]


@pytest.mark.parametrize("arguments, pointers", REFUSED)
def test_impossible_input_is_refused(generate, arguments, pointers):
    status, result = generate(arguments)
    assert status == 400, result
    mistakes = result["error"]["errors"]
    assert {mistake["pointer"] for mistake in mistakes} == pointers
    assert all(mistake["message"] for mistake in mistakes)
    assert "manifest" not in result
