/// One object of a manifest.
struct KubernetesObject: Hashable, Sendable {
    let kind: String
    let name: String
    /// The whole object, as it is written.
    let tree: YAMLValue
}
