import Access
import Foundation

/// Settings that say who may call.
extension Settings {
    /// Whether requests need a token: if an issuer is set, or if it is said so.
    static func isAuthenticationRequired(_ reader: inout SettingsReader) -> Bool {
        let isRequired = reader.value(.authentication, default: false, expected: "auto or required") { text in
            switch text.lowercased() {
            case "auto": false
            case "required": true
            default: nil
            }
        }
        let hasIssuer = reader.text(.jwtPublicKey) != nil || reader.text(.jwtKeySetURL) != nil
        return isRequired || hasIssuer
    }

    static func publicURL(_ reader: inout SettingsReader, port: Int) -> String {
        guard let text = reader.text(.publicURL) else { return "http://127.0.0.1:\(port)" }
        guard WebAddress(text) != nil else {
            reader.reject(.publicURL, "This is not an address such as https://gantry.example.com.")
            return text
        }
        return ResourceURI.canonical(text)
    }

    static func policyFile(_ reader: inout SettingsReader) -> String? {
        guard let path = reader.text(.policy) else { return nil }
        do {
            _ = try Policy(file: path)
        } catch {
            reader.reject(.policy, "\(error)")
        }
        return path
    }

    /// Whose tokens are accepted.
    static func issuer(_ reader: inout SettingsReader, publicURL: String) -> Issuer? {
        let key = reader.text(.jwtPublicKey)
        let url = reader.text(.jwtKeySetURL)
        let name = reader.text(.jwtIssuer)
        var audiences = reader.list(.jwtAudience) { audience in
            audience.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? nil : "“\(audience)” is not plain ASCII."
        }
        if audiences.isEmpty { audiences = ["\(publicURL)/mcp"] }
        guard key != nil || url != nil else {
            for setting in [SettingKey.jwtIssuer, .jwtAudience] where reader.found[setting] != nil {
                reader.reject(setting, "This has no effect without JWT_PUBLIC_KEY or JWT_JWKS_URL.")
            }
            return nil
        }
        guard let name else {
            reader.reject(
                .jwtIssuer,
                "Set it too: tokens are accepted from one issuer only, the one that they name as iss."
            )
            return nil
        }
        if key != nil, url != nil {
            reader.reject(.jwtPublicKey, "Set this or JWT_JWKS_URL, not both.")
            return nil
        }
        if let url {
            guard let address = WebAddress(url), address.scheme == "https" || Loopback.contains(host: address.host)
            else {
                reader.reject(
                    .jwtKeySetURL,
                    "Keys come over https, or from this machine: who could change them could sign."
                )
                return nil
            }
            return Issuer(keys: .published(url: url), name: name, audiences: audiences)
        }
        guard let key, let keys = Self.keys(key, &reader) else { return nil }
        return Issuer(keys: .fixed(keys), name: name, audiences: audiences)
    }

    /// The keys of `JWT_PUBLIC_KEY`: PEM text, or the path of a file that holds it.
    private static func keys(_ text: String, _ reader: inout SettingsReader) -> KeySet? {
        var pem = text
        if text.contains("-----BEGIN") {
            // Environments that can't hold line breaks write them like this.
            pem = text.replacing("\\n", with: "\n")
        } else {
            guard let data = FileManager.default.contents(atPath: text), data.count <= KeySet.maximumDocumentBytes
            else {
                reader.reject(.jwtPublicKey, "This is neither a key in PEM form nor the path of a file that holds one.")
                return nil
            }
            pem = String(decoding: data, as: UTF8.self)
        }
        do {
            return try KeySet(pem: pem)
        } catch {
            reader.reject(.jwtPublicKey, "\(error)")
            return nil
        }
    }
}
