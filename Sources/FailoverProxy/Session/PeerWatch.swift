import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// When each peer of a session stopped accepting data, in nanoseconds of the loop's clock; 0 if the peer accepts
/// data.
struct PeerStalls {
    fileprivate var client: UInt64 = 0
    fileprivate var backend: UInt64 = 0

    subscript(side: Side) -> UInt64 {
        get { side == .client ? client : backend }
        set { if side == .client { client = newValue } else { backend = newValue } }
    }
}

/// A session whose peers may be watched.
protocol PeerOwner: Pollable {
    var id: UInt64 { get }
    var slot: Int { get }

    /// Ends the session if one of its peers no longer receives data.
    ///
    /// - Returns: whether to check the session again. Otherwise the next bytes add it again.
    func peersOweSomething(_ timeouts: PeerTimeouts, _ stalls: inout PeerStalls) -> Bool
}

/// Watches the sessions of a route on one loop whose peers may owe acknowledgements. Sessions whose peers owe nothing
/// are removed until bytes are relayed again, so an idle session costs nothing.
final class PeerWatch: Pollable {
    private struct Entry {
        let slot: Int32
        /// Distinguishes the session from a later one in the same slot.
        let session: UInt64
        var stalls: PeerStalls
    }

    private(set) var settings: SessionSettings
    private unowned let loop: EventLoop
    private var slot = -1
    private var watched = Rounds<Entry>()

    init(loop: EventLoop, settings: SessionSettings) {
        self.loop = loop
        self.settings = settings
    }

    /// Adds the session.
    func add(_ session: some PeerOwner, _ stalls: PeerStalls) {
        guard let interval = PeerTimeouts(settings).interval else { return }
        if slot < 0 { slot = loop.admit(self) }
        if watched.isEmpty { loop.setDeadline(loop.now &+ interval, slot: slot) }
        watched.add(Entry(slot: Int32(truncatingIfNeeded: session.slot), session: session.id, stalls: stalls))
    }

    /// Uses these settings and removes all sessions.
    func begin(_ settings: SessionSettings) {
        self.settings = settings
        watched = Rounds()
        if slot >= 0 { loop.setDeadline(nil, slot: slot) }
    }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        let timeouts = PeerTimeouts(settings)
        for var entry in watched.nextTurn() {
            guard let session = loop.tenant(slot: Int(entry.slot)) as? any PeerOwner, session.id == entry.session else {
                continue
            }
            if session.peersOweSomething(timeouts, &entry.stalls) { watched.add(entry) }
        }
        let pause = timeouts.interval.flatMap { watched.pause(betweenRounds: $0) }
        loop.setDeadline(pause.map { loop.now &+ $0 }, slot: slot)
    }
}

extension Descriptor {
    /// The peer's progress; `nil` if the socket is not TCP, and on kernels before 4.6, which do not report it.
    var peerProgress: PeerProgress? {
        // Offsets in `struct tcp_info` of linux/tcp.h. The C library's version is older.
        let (unacked, sinceData, sinceAcknowledgement, unsent, size) = (24, 44, 56, 144, 148)
        var length = socklen_t(size)
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { info in
            guard getsockopt(raw, Int32(IPPROTO_TCP), TCP_INFO, info.baseAddress, &length) == 0, Int(length) >= size
            else { return nil }
            func number(at offset: Int) -> UInt32 {
                UnsafeRawBufferPointer(info).load(fromByteOffset: offset, as: UInt32.self)
            }
            return PeerProgress(
                unacknowledged: number(at: unacked), unsent: number(at: unsent),
                sinceAcknowledgement: number(at: sinceAcknowledgement), sinceData: number(at: sinceData))
        }
    }
}

/// The progress of a socket's peer in receiving what was sent; tcp(7), `TCP_INFO`. Times are in milliseconds.
struct PeerProgress: Equatable {
    /// Unacknowledged segments.
    var unacknowledged: UInt32
    /// Unsent bytes, which wait for the peer's receive window.
    var unsent: UInt32
    /// The time since the peer last acknowledged anything, including a window probe.
    var sinceAcknowledgement: UInt32
    /// The time since data was last sent.
    var sinceData: UInt32

    /// Whether the peer's receive window is closed.
    var isStalled: Bool { unsent > 0 && unacknowledged == 0 }
}

/// The timeouts for a peer that does not receive what is sent to it.
///
/// The kernel's user timeout also ends a connection whose peer has a closed receive window and acknowledges every
/// window probe. So while the window is closed, the user timeout is extended to the time that has passed plus half of
/// its own length. This also keeps the kernel's probes frequent, which would otherwise become rare.
struct PeerTimeouts: Equatable {
    enum Verdict: Equatable {
        /// The peer has received everything.
        case nothingOwed
        /// Bytes are in flight. The kernel's timeout applies.
        case underWay
        /// The peer's window is closed and the peer is alive. The kernel's timeout should be this value in
        /// milliseconds; `nil` leaves it unchanged.
        case stalled(userTimeout: Int32?)
        /// The peer's window is closed and the peer does not answer.
        case silent
        /// The peer's window has been closed for too long.
        case tooLong
    }

    /// `tcp_user_timeout` and `stall_timeout` in milliseconds.
    private let userTimeout: UInt64?
    private let stallTimeout: UInt64?

    init(_ settings: SessionSettings) {
        userTimeout = settings.tcpUserTimeout.map { UInt64($0.roundedUp(to: .milliseconds(1))) }
        stallTimeout = settings.stallTimeout.map { UInt64($0.roundedUp(to: .milliseconds(1))) }
    }

    /// The time between two checks of a peer that owes something, in nanoseconds; `nil` if no check is needed.
    var interval: UInt64? {
        guard let shortest = [userTimeout, stallTimeout].compactMap(\.self).min() else { return nil }
        return max(1, min(shortest, 240_000) * 1_000_000 / 8)
    }

    /// - Parameter stalledFor: milliseconds since the first check that found the window closed; `nil` if no check has
    ///   found it closed. The kernel's count may have begun long before that, when there was nothing to acknowledge.
    func verdict(on progress: PeerProgress, stalledFor: UInt64?) -> Verdict {
        guard progress.isStalled else {
            return progress.unsent == 0 && progress.unacknowledged == 0 ? .nothingOwed : .underWay
        }
        if let stalledFor {
            if let stallTimeout, stalledFor >= stallTimeout { return .tooLong }
            // The next check would be too late.
            if let userTimeout, UInt64(progress.sinceAcknowledgement) >= userTimeout - userTimeout / 8 {
                return .silent
            }
        }
        return .stalled(
            userTimeout: userTimeout.map { Int32(clamping: UInt64(progress.sinceData) + max(1, $0 / 2)) })
    }
}
