import FailoverCore

/// How far the peer of a socket is with what was sent to it; tcp(7), `TCP_INFO`. Times in milliseconds.
struct PeerProgress: Equatable {
    /// Segments that are under way.
    var unacknowledged: UInt32
    /// Bytes that wait for the peer to have room.
    var unsent: UInt32
    /// Since the peer has acknowledged anything, also a question whether it has room.
    var sinceAcknowledgement: UInt32
    /// Since bytes went out.
    var sinceData: UInt32

    /// Whether the peer has said that it has no room.
    var isStalled: Bool { unsent > 0 && unacknowledged == 0 }
}

/// What becomes of a peer that does not take what is sent to it.
///
/// The kernel's user time-out ends a connection whose peer has no room, though that acknowledges each question for it. So
/// while there is none the time-out is moved on, ahead of the time that has passed by half its length: that also makes
/// the kernel ask so often, where it would ask less and less.
struct PeerPatience: Equatable {
    enum Verdict: Equatable {
        /// It has all that was sent.
        case nothingOwed
        /// Bytes are under way, and the kernel's time-out is right.
        case underWay
        /// It has no room and is there: the kernel's time-out, in milliseconds, is to be this; `nil` is to be let alone.
        case stalled(userTimeout: Int32?)
        /// It has no room and does not answer.
        case silent
        /// It has had no room for too long.
        case tooLong
    }

    /// `tcp_user_timeout` and `stall_timeout` in milliseconds.
    private let userTimeout: UInt64?
    private let stallTimeout: UInt64?

    init(_ settings: SessionSettings) {
        userTimeout = settings.tcpUserTimeout.map { UInt64($0.roundedUp(to: .milliseconds(1))) }
        stallTimeout = settings.stallTimeout.map { UInt64($0.roundedUp(to: .milliseconds(1))) }
    }

    /// Between two looks at a peer that owes something, in nanoseconds; `nil` where none is needed.
    var interval: UInt64? {
        guard let shortest = [userTimeout, stallTimeout].compactMap(\.self).min() else { return nil }
        return max(1, min(shortest, 240_000) * 1_000_000 / 8)
    }

    /// - Parameter stalledFor: milliseconds since the first look that found the peer without room; `nil` if this may be it.
    ///   What the kernel counts may have begun long before, while nothing was owed.
    func verdict(on progress: PeerProgress, stalledFor: UInt64?) -> Verdict {
        guard progress.isStalled else {
            return progress.unsent == 0 && progress.unacknowledged == 0 ? .nothingOwed : .underWay
        }
        if let stalledFor {
            if let stallTimeout, stalledFor >= stallTimeout { return .tooLong }
            // The next look would be too late.
            if let userTimeout, UInt64(progress.sinceAcknowledgement) >= userTimeout - userTimeout / 8 {
                return .silent
            }
        }
        return .stalled(
            userTimeout: userTimeout.map { Int32(clamping: UInt64(progress.sinceData) + max(1, $0 / 2)) })
    }
}
