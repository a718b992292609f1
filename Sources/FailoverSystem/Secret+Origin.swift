package import FailoverCore
import FoundationEssentials

extension Secret {
    /// The scheme, host and port of a URL, without anything that may be a token; `(hidden)` if the secret is not a
    /// URL.
    package var origin: String {
        guard let parts = URLComponents(string: reveal()), let scheme = parts.scheme, let host = parts.host else {
            return description
        }
        return "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")"
    }
}
