/// A time of day: seconds since 1970-01-01 in UTC, for people who read events. Nothing is decided by it.
public struct WallTime: Hashable, Sendable {
    public let sinceEpoch: Duration

    public init(sinceEpoch: Duration) { self.sinceEpoch = sinceEpoch }

    /// The time that long before this one.
    public func before(_ duration: Duration) -> WallTime { WallTime(sinceEpoch: sinceEpoch - duration) }
}
