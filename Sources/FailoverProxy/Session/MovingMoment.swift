/// Whether a session that is to move may be ended now, if it stands at a boundary: its client's next words may be under way
/// and would be lost. Times in nanoseconds of the loop's clock.
struct MovingMoment {
    let now: UInt64
    /// Since when the session is to move.
    let since: UInt64
    let lastActivity: UInt64
    let startedAt: UInt64
    /// How long one that never rests is left alone; and one that has just begun, which is about to be used for the first
    /// time or soon over.
    let patience: UInt64

    /// How long a session should have said nothing.
    private static let rest: UInt64 = 50_000_000

    /// Whether its client seems to have nothing to say.
    var hasRested: Bool { now &- lastActivity >= Self.rest && now &- startedAt >= patience }

    /// Whether any boundary will do.
    var isRestless: Bool { now &- since >= patience }
}

extension Session {
    /// `nil` unless it is to move.
    var movingMoment: MovingMoment? {
        movesSince.map {
            MovingMoment(
                now: loop.now, since: $0, lastActivity: lastActivity, startedAt: startedAt,
                patience: settings.drainPatience.nanoseconds)
        }
    }
}
