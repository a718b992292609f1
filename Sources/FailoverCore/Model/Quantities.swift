/// A point in time on a clock that never goes back. The owner of the clock chooses the origin.
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

/// A date and time of day, for the readers of events. No decision depends on it.
public struct WallTime: Hashable, Sendable {
    /// The time since 1970-01-01 in UTC.
    public let sinceEpoch: Duration

    public init(sinceEpoch: Duration) { self.sinceEpoch = sinceEpoch }

    /// This time minus the duration.
    public func before(_ duration: Duration) -> WallTime { WallTime(sinceEpoch: sinceEpoch - duration) }
}

extension Duration {
    /// A thousand years: longer than any measured duration, and short enough that sums and multiples do not overflow.
    package static let longest = Duration.seconds(31_557_600_000)

    /// The seconds that a server, a file or another process reports, to the microsecond. The duration is limited to
    /// ``longest`` in either direction, and zero for NaN.
    package init(foreignSeconds seconds: Double) {
        let most = Double(Self.longest.components.seconds)
        self = seconds.isNaN ? .zero : .microseconds(Int64((max(-most, min(most, seconds)) * 1e6).rounded()))
    }
}

extension Duration {
    /// The duration in a short, readable form: `950ms`, `12.3s`, `4m 5s`, `2h 10m`.
    public var inWords: String {
        let (whole, attoseconds) = max(.zero - .longest, min(self, .longest)).components
        let milliseconds = whole * 1000 + attoseconds / 1_000_000_000_000_000
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<1: return "\(milliseconds)ms"
        case ..<60: return milliseconds % 1000 == 0 ? "\(seconds)s" : "\(seconds).\(milliseconds % 1000 / 100)s"
        case ..<3600: return "\(seconds / 60)m \(seconds % 60)s"
        default: return "\(seconds / 3600)h \(seconds % 3600 / 60)m"
        }
    }
}

extension UInt64 {
    /// The number of bytes as PostgreSQL's `pg_size_pretty` writes it: `800 bytes`, `9000 kB`, `48 MB`. A kB has 1024
    /// bytes.
    public var inBytesWords: String {
        var count = self
        var units = ["bytes", "kB", "MB", "GB", "TB", "PB"][...]
        while count >= 10 * 1024, units.count > 1 {
            // Rounds to the nearest unit.
            count = count / 1024 + (count % 1024 >= 512 ? 1 : 0)
            units = units.dropFirst()
        }
        return "\(count) \(units.first ?? "")"
    }
}

extension Duration {
    /// Whole nanoseconds, for deadlines. The result is at most a hundred years, so that adding it to a clock's time
    /// does not overflow.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = max(.zero, min(self, .seconds(100 * 365 * 86_400))).components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    /// Whole units rounded up, as socket options take them.
    package func roundedUp(to unit: Duration) -> Int32 {
        Int32(min(max(0, (self / unit).rounded(.up)), Double(Int32.max)))
    }
}
