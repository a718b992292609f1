/// One ping's answer.
public struct PingResult: Hashable, Sendable {
    /// `nil` when the ping succeeded.
    public let failure: PingFailure?
    /// From the start of the ping to its answer.
    public let duration: Duration

    public init(failure: PingFailure?, duration: Duration) {
        self.failure = failure
        self.duration = duration
    }

    /// Whether the service answered as it should.
    public var succeeded: Bool { failure == nil }
}
