package import FailoverCore
import FoundationEssentials

extension Secret {
    /// Of a URL the scheme, the host and the port, and nothing of what may be a token; hidden if it is none.
    package var origin: String {
        guard let parts = URLComponents(string: reveal()), let scheme = parts.scheme, let host = parts.host else {
            return description
        }
        return "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")"
    }
}
