import Crypto
import Foundation

/// What proves to AWS who asks.
struct AWSCredentials: Sendable, Hashable {
    var accessKey: String
    var secretKey: String
    /// Goes with credentials that are lent for a while.
    var sessionToken: String?
    /// When they end; nothing for those that don't.
    var expiry: Date?
}

/// Signs requests to AWS.
///
/// Specification: AWS Signature Version 4 ("Create a signed AWS API request" in the IAM user guide).
struct AWSSigner: Sendable {
    /// A request as it is signed.
    struct Request {
        var method: String
        var host: String
        /// The path, not encoded yet.
        var path = "/"
        /// The parameters of the query, not encoded yet.
        var query: [(name: String, value: String)] = []
        /// All headers that are sent but `Host`, which every request has.
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
    }

    private static let algorithm = "AWS4-HMAC-SHA256"

    let region: String
    let service: String

    /// The headers that make a request a signed one: all that it had, the time, the session token, and `Authorization`.
    func headers(for request: Request, _ credentials: AWSCredentials, at date: Date) -> [(name: String, value: String)]
    {
        let time = Self.timestamp(date)
        var headers = request.headers + [(name: "X-Amz-Date", value: time)]
        if let token = credentials.sessionToken { headers.append((name: "X-Amz-Security-Token", value: token)) }
        var signed = request
        signed.headers = headers
        let (canonical, names) = Self.canonical(signed)
        let day = String(time.prefix(8))
        let scope = "\(day)/\(self.region)/\(self.service)/aws4_request"
        let text = [Self.algorithm, time, scope, Self.hex(SHA256.hash(data: Array(canonical.utf8)))]
            .joined(separator: "\n")
        let key = self.key(credentials.secretKey, day: day)
        let signature = Self.hex(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        headers.append(
            (
                name: "Authorization",
                value:
                    "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
            )
        )
        return headers
    }

    /// The key for one day, region and service.
    func key(_ secret: String, day: String) -> SymmetricKey {
        [day, self.region, self.service, "aws4_request"].reduce(
            SymmetricKey(data: Array("AWS4\(secret)".utf8))
        ) { key, part in
            SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
    }

    /// The one text that all ways to write a request have in common, and the names of the headers in it.
    static func canonical(_ request: Request) -> (text: String, headerNames: String) {
        let query = request.query.map { (Self.encoded($0.name), Self.encoded($0.value)) }.sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
        let all = request.headers.map { ($0.name.lowercased(), Self.trimmed($0.value)) } + [("host", request.host)]
        let headers = Dictionary(all, uniquingKeysWith: { "\($0),\($1)" }).sorted { $0.key < $1.key }
        let names = headers.map(\.key).joined(separator: ";")
        let text = [
            request.method, Self.encoded(request.path, keeping: "/"), query,
            headers.map { "\($0.key):\($0.value)\n" }.joined(), names, Self.hex(SHA256.hash(data: request.body)),
        ].joined(separator: "\n")
        return (text, names)
    }

    /// Without blanks at the ends, and one for several.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    /// RFC 3986, section 2.3: all but unreserved characters are encoded.
    static func encoded(_ text: String, keeping kept: String = "") -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where kept.utf8.contains(byte):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    /// `20150830T123600Z`.
    static func timestamp(_ date: Date) -> String {
        date.formatted(
            Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted, timeZone: .gmt)
        )
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
