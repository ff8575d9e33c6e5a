import Logging
import Secrets
import Upstream

/// Where secrets are kept.
enum SecretsProvider: String, CaseIterable {
    case env, file, aws
}

/// Settings that are kept elsewhere: `secret://NAME#field`.
extension Settings {
    /// Where Docker mounts secrets.
    static let defaultSecretsDirectory = "/run/secrets"
    /// In seconds.
    static let defaultSecretsLifetime = 300

    /// Where the secrets are that other settings name.
    static func secrets(_ reader: inout SettingsReader, _ environment: [String: String]) -> any SecretProvider {
        let kind = reader.choice(.secretsProvider, default: SecretsProvider.env)
        let directory = reader.text(.secretsDirectory)
        let lifetime = reader.value(
            .secretsLifetime,
            default: Self.defaultSecretsLifetime,
            expected: "a number of seconds, 10 to 86400"
        ) { text in Int(text).flatMap { (10...86_400).contains($0) ? $0 : nil } }
        if kind != .file, directory != nil {
            reader.reject(.secretsDirectory, "This has no effect without SECRETS_PROVIDER=file.")
        }
        let region = reader.text(.awsRegion) ?? environment["AWS_DEFAULT_REGION"]
        let endpoint = reader.text(.awsEndpointURL)
        switch kind {
        case .env: return EnvironmentSecrets(environment)
        case .file: return FileSecrets(directory: directory ?? Self.defaultSecretsDirectory)
        case .aws:
            guard let region else {
                reader.reject(.awsRegion, "Set it too: SECRETS_PROVIDER is aws.")
                return EnvironmentSecrets([:])
            }
            do {
                return try Self.secretsManager(region, endpoint, lifetime, environment)
            } catch {
                reader.reject(error.message.hasPrefix("AWS_REGION") ? .awsRegion : .awsEndpointURL, error.message)
                return EnvironmentSecrets([:])
            }
        }
    }

    private static func secretsManager(
        _ region: String,
        _ endpoint: String?,
        _ lifetime: Int,
        _ environment: [String: String]
    ) throws(SecretError) -> CachedSecrets {
        let manager = AWSSecretsManager(
            configuration: try .init(
                region: region,
                endpoint: environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"] ?? endpoint,
                securityTokenService: environment["AWS_ENDPOINT_URL_STS"] ?? endpoint
            ),
            environment: environment,
            upstream: TransientUpstream()
        )
        var limits = CachedSecrets.Limits()
        limits.lifetime = .seconds(lifetime)
        return CachedSecrets(limits: limits, logger: { Logger(label: "gantry") }) { name throws(SecretError) in
            try await manager.text(of: name)
        }
    }

    /// What a setting holds now, if it is a secret: it may be another one than at the start.
    ///
    /// - Returns: Nothing if the setting isn't kept elsewhere.
    func credential(_ key: SettingKey) -> Credential? {
        guard let reference = self.references[key], let secrets else { return nil }
        return Credential { refused in try await secrets.value(of: reference, refused: refused) }
    }
}
