/// Why a replica that answers is not to serve: its data is too old.
public struct Staleness: Hashable, Sendable {
    /// How far it is behind its primary; `nil` when nobody knows.
    public let behind: Duration?
    /// Why it does not follow; `nil` while it does.
    public let stopped: String?

    public init(behind: Duration?, stopped: String? = nil) {
        self.behind = behind
        self.stopped = stopped
    }
}

extension Staleness: CustomStringConvertible {
    /// `12.3s behind: replay is paused`
    public var description: String {
        let lag = behind.map { "\($0.inWords) behind" } ?? "nobody knows how far behind"
        return stopped.map { "\(lag): \($0)" } ?? lag
    }
}
