extension Workload {
    /// What the owner of the application should know, in a fixed order.
    var warnings: [ManifestWarning] {
        self.imageWarnings + self.exposureWarnings + self.podWarnings + self.resourceWarnings
    }

    private var imageWarnings: [ManifestWarning] {
        guard self.image.digest == nil else { return [] }
        var warnings = [
            ManifestWarning(
                code: .imageNotPinned,
                message: "The image has no digest, so the same manifest can run different code tomorrow. "
                    + "Append @sha256:… of the image that was tested."
            )
        ]
        if self.image.followsLatest {
            warnings.append(
                ManifestWarning(
                    code: .imageFollowsLatest,
                    message:
                        "The image follows the tag latest, so pods of one Deployment can run different versions and a "
                        + "rollback has nothing to return to. Name a version, for example :1.4.2."
                )
            )
        }
        return warnings
    }

    private var exposureWarnings: [ManifestWarning] {
        var warnings: [ManifestWarning] = []
        if self.containerPort < 1_024 {
            warnings.append(
                ManifestWarning(
                    code: .privilegedPort,
                    message:
                        "The container listens at port \(self.containerPort), below 1024, but runs as an ordinary user "
                        + "without capabilities. That works only where the container runtime opens low ports to everyone. "
                        + "Prefer a port such as 8080; the Service listens at 80 in any case."
                )
            )
        }
        switch self.serviceType {
        case .clusterIP:
            break
        case .nodePort:
            warnings.append(
                ManifestWarning(
                    code: .nodePort,
                    message: "A NodePort opens the application on every node of the cluster, past any Ingress. "
                        + "Prefer ClusterIP behind an Ingress or Gateway."
                )
            )
        case .loadBalancer:
            warnings.append(
                ManifestWarning(
                    code: .loadBalancer,
                    message: "A LoadBalancer usually gets a public address and is charged for. Limit who can reach it "
                        + "(loadBalancerSourceRanges or the provider's annotations), or prefer ClusterIP behind an Ingress."
                )
            )
        }
        return warnings
    }

    private var podWarnings: [ManifestWarning] {
        var warnings: [ManifestWarning] = []
        if self.replicas == 1 {
            warnings.append(
                ManifestWarning(
                    code: .singleReplica,
                    message:
                        "With one replica the application is down while its pod moves to another node. Prefer 2 or more."
                )
            )
        }
        // "-", ten characters for the ReplicaSet, "-" and five for the pod.
        if self.deploymentName.utf8.count + 17 > 63 {
            warnings.append(
                ManifestWarning(
                    code: .longName,
                    message: "Kubernetes will cut the pod names to 63 characters, so that they don't show the whole "
                        + "ReplicaSet name. Up to 35 characters of app_name fit."
                )
            )
        }
        return warnings
    }

    private var resourceWarnings: [ManifestWarning] {
        var warnings: [ManifestWarning] = []
        if self.cpuLimit.isRounded {
            warnings.append(
                ManifestWarning(code: .cpuRounded, message: "The CPU limit was rounded up to \(self.cpuLimit).")
            )
        }
        if self.memoryLimit.isRounded {
            warnings.append(
                ManifestWarning(
                    code: .memoryRounded,
                    message: "The memory limit was rounded up to \(self.memoryLimit)."
                )
            )
        }
        if self.cpuLimit.amount > 256_000 {
            warnings.append(
                ManifestWarning(
                    code: .cpuImplausible,
                    message: "\(self.cpuLimit) cores are more than a node usually has, so no pod may start."
                )
            )
        }
        if self.memoryLimit.amount < 4 << 20 {
            warnings.append(
                ManifestWarning(
                    code: .memoryImplausible,
                    message: "A memory limit of \(self.memoryLimit) is below 4Mi, too little for a container to start."
                )
            )
        }
        return warnings
    }
}
