extension Workload {
    /// The Deployment and the Service.
    ///
    /// The pods meet the *restricted* Pod Security Standard. Neither object names a namespace: whoever applies the manifest
    /// decides.
    var objects: [KubernetesObject] {
        [
            self.object(
                apiVersion: "apps/v1",
                kind: "Deployment",
                name: self.deploymentName,
                spec: self.deploymentSpec
            ),
            self.object(apiVersion: "v1", kind: "Service", name: self.serviceName, spec: self.serviceSpec),
        ]
    }

    /// User and group of the processes: above 10000, so that they meet no account of the node.
    private static let userID: YAMLValue = 10_001
    private static let port: YAMLValue = "main"

    private func object(apiVersion: String, kind: String, name: String, spec: YAMLValue) -> KubernetesObject {
        KubernetesObject(
            kind: kind,
            name: name,
            tree: [
                "apiVersion": .string(apiVersion),
                "kind": .string(kind),
                "metadata": ["name": .string(name), "labels": self.labels],
                "spec": spec,
            ]
        )
    }

    /// The labels that never change, because a Deployment's selector can't be changed either.
    private var selectorLabels: YAMLValue {
        .strings(["app.kubernetes.io/name": self.name, "app.kubernetes.io/instance": self.name])
    }

    private var labels: YAMLValue {
        guard case .mapping(var entries) = self.selectorLabels else { return self.selectorLabels }
        if let version = self.image.versionLabel {
            entries.append(.init(key: "app.kubernetes.io/version", value: .string(version)))
        }
        entries.append(.init(key: "app.kubernetes.io/managed-by", value: "gantry"))
        return .mapping(entries)
    }

    private var serviceSpec: YAMLValue {
        [
            "type": .string(self.serviceType.rawValue),
            "selector": self.selectorLabels,
            "ports": [
                [
                    "name": Self.port,
                    "port": .integer(Self.servicePort),
                    "targetPort": .integer(self.containerPort),
                    "protocol": "TCP",
                ]
            ],
        ]
    }

    private var deploymentSpec: YAMLValue {
        [
            "replicas": .integer(self.replicas),
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,
            "selector": ["matchLabels": self.selectorLabels],
            // A new pod has to be ready before an old one stops, so that a rollout never lowers the capacity.
            "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0]],
            "template": ["metadata": ["labels": self.labels], "spec": self.podSpec],
        ]
    }

    private var podSpec: YAMLValue {
        [
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 30,
            "securityContext": [
                "runAsNonRoot": true,
                "runAsUser": Self.userID,
                "runAsGroup": Self.userID,
                "fsGroup": Self.userID,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "affinity": self.affinity,
            "containers": [self.container],
            "volumes": [["name": "tmp", "emptyDir": ["sizeLimit": "64Mi"]]],
        ]
    }

    /// Prefers one pod per node, but lets a small cluster run several.
    private var affinity: YAMLValue {
        [
            "podAntiAffinity": [
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    [
                        "weight": 100,
                        "podAffinityTerm": [
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": ["matchLabels": self.selectorLabels],
                        ],
                    ]
                ]
            ]
        ]
    }

    private var container: YAMLValue {
        [
            "name": .string(self.name),
            "image": .string(self.image.description),
            "imagePullPolicy": "Always",
            "ports": [["name": Self.port, "containerPort": .integer(self.containerPort), "protocol": "TCP"]],
            "resources": [
                "requests": self.resources(self.cpuLimit.half, self.memoryLimit.half, ephemeralStorage: "128Mi"),
                "limits": self.resources(self.cpuLimit, self.memoryLimit, ephemeralStorage: "256Mi"),
            ],
            // A minute to start; then out of the Service after 10 seconds without an answer and restarted after 60.
            "startupProbe": self.probe(period: 2, timeout: 1, failures: 30),
            "readinessProbe": self.probe(period: 5, timeout: 2, failures: 2),
            "livenessProbe": self.probe(period: 10, timeout: 5, failures: 6),
            "securityContext": [
                "allowPrivilegeEscalation": false,
                "privileged": false,
                "readOnlyRootFilesystem": true,
                "runAsNonRoot": true,
                "runAsUser": Self.userID,
                "runAsGroup": Self.userID,
                "capabilities": ["drop": ["ALL"]],
                "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "volumeMounts": [["name": "tmp", "mountPath": "/tmp"]],
        ]
    }

    /// Disk space covers what a pod with a read-only root can fill: its `/tmp` and the logs that the node keeps.
    private func resources(_ cpu: Quantity, _ memory: Quantity, ephemeralStorage: String) -> YAMLValue {
        .strings(["cpu": cpu.description, "memory": memory.description, "ephemeral-storage": ephemeralStorage])
    }

    /// Checks that the port accepts connections; what is spoken there is not known.
    private func probe(period: Int, timeout: Int, failures: Int) -> YAMLValue {
        [
            "tcpSocket": ["port": .integer(self.containerPort)],
            "periodSeconds": .integer(period),
            "timeoutSeconds": .integer(timeout),
            "failureThreshold": .integer(failures),
        ]
    }
}
