/// A point on a clock that never goes back, counted from an origin of its owner's choice.
public struct MonotonicTime: InstantProtocol, Hashable, Sendable {
    /// Time since the origin.
    public let sinceOrigin: Duration

    public init(_ sinceOrigin: Duration) { self.sinceOrigin = sinceOrigin }

    /// The origin itself.
    public static let zero = MonotonicTime(.zero)

    public func advanced(by duration: Duration) -> MonotonicTime { MonotonicTime(sinceOrigin + duration) }
    public func duration(to other: MonotonicTime) -> Duration { other.sinceOrigin - sinceOrigin }
    public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.sinceOrigin < b.sinceOrigin }
}
