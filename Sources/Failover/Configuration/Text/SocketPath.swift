import Glibc

/// The path of a Unix socket that fits into a `sockaddr_un`.
struct SocketPath {
    let text: String

    /// Reads `unix:/path`; `nil` if the text has no such prefix.
    init?(prefixedText: String) throws(InvalidText) {
        let prefix = "unix:"
        guard prefixedText.hasPrefix(prefix) else { return nil }
        let path = String(prefixedText.dropFirst(prefix.count))
        guard path.hasPrefix("/"), path.count > 1 else {
            throw InvalidText("a Unix socket has an absolute path: unix:/path")
        }
        let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        guard path.utf8.count <= limit else {
            throw InvalidText("the path of a Unix socket has at most \(limit) bytes, this one has \(path.utf8.count)")
        }
        text = path
    }
}
