/// One ping's answer.
public struct PingResult: Hashable, Sendable {
    /// `nil` when the ping succeeded.
    public let failure: PingFailure?
    /// From the start of the ping to its answer.
    public let duration: Duration
    /// Why a server that answered is not to serve: its data is too old. Known of a ping outside of any monitoring only.
    public let staleness: Staleness?

    public init(failure: PingFailure?, duration: Duration, staleness: Staleness? = nil) {
        self.failure = failure
        self.staleness = staleness
        self.duration = duration
    }

    /// Whether the service answered as it should.
    public var succeeded: Bool { failure == nil }
}
