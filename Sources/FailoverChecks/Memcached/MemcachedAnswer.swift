import FailoverCore

/// What a Memcached server answers to `version`: one line.
struct MemcachedAnswer {
    /// No version is longer; an error line may carry a sentence.
    private static let longest = 1024
    private static let newline = UInt8(ascii: "\n")

    private var bytes: [UInt8] = []

    /// Whether all of it has arrived that is waited for.
    var isWhole: Bool { bytes.count > Self.longest || bytes.contains(Self.newline) }

    mutating func add(_ bytes: some Sequence<UInt8>) { self.bytes += bytes }

    /// What is wrong with it; `nil` if it is a version.
    var failure: (reason: PingFailure.Reason, words: String)? {
        let line = String(decoding: bytes.prefix { $0 != Self.newline }, as: UTF8.self)
        return line.hasPrefix("VERSION ") && line.hasSuffix("\r") ? nil : (Self.reason(of: line), line)
    }

    private static func reason(of line: String) -> PingFailure.Reason {
        if line.hasPrefix("ERROR Too many open connections") { return .tooManyConnections }
        if line.hasPrefix("CLIENT_ERROR unauthenticated") { return .authentication }
        return line.hasPrefix("SERVER_ERROR") ? .query : .protocolViolation
    }
}
