/// Why a replica that answers is not to serve: its data is too old.
public struct Staleness: Hashable, Sendable, Codable {
    /// How far it is behind its primary; `nil` when nobody knows, or when that is not what is too much.
    public let behind: Duration?
    /// The same in bytes of the primary's log.
    public let bytesBehind: UInt64?
    /// Why it does not follow; `nil` while it does.
    public let stopped: String?

    public init(behind: Duration?, bytesBehind: UInt64? = nil, stopped: String? = nil) {
        self.behind = behind
        self.bytesBehind = bytesBehind
        self.stopped = stopped
    }
}

extension Staleness: CustomStringConvertible {
    /// `12.3s behind: replay is paused`, `48 MB behind`, `12.3s and 48 MB behind`.
    public var description: String {
        let measures = [behind?.inWords, bytesBehind?.inBytesWords].compactMap(\.self)
        let lag = measures.isEmpty ? "nobody knows how far behind" : "\(measures.joined(separator: " and ")) behind"
        return stopped.map { "\(lag): \($0)" } ?? lag
    }
}
