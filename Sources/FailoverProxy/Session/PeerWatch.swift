import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// Since when both peers of a session have had no room, in nanoseconds of the loop's clock; 0 of one that has.
struct PeerStalls {
    fileprivate var client: UInt64 = 0
    fileprivate var backend: UInt64 = 0

    fileprivate subscript(side: Side) -> UInt64 {
        get { side == .client ? client : backend }
        set { if side == .client { client = newValue } else { backend = newValue } }
    }
}

/// Looks after the sessions of a route, on one loop, whose peers may owe acknowledgements. Those that owe nothing are
/// forgotten until bytes pass again, so an idle session costs nothing.
final class PeerWatch: Pollable {
    private struct Entry {
        let slot: Int32
        /// Tells it from the next that lives in the slot.
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

    /// Looks after the session.
    func add(_ session: Session, _ stalls: PeerStalls) {
        guard let interval = PeerPatience(settings).interval else { return }
        if slot < 0 { slot = loop.admit(self) }
        if watched.isEmpty { loop.setDeadline(loop.now &+ interval, slot: slot) }
        watched.add(Entry(slot: Int32(truncatingIfNeeded: session.slot), session: session.id, stalls: stalls))
    }

    /// Goes by these settings, and looks after nobody.
    func begin(_ settings: SessionSettings) {
        self.settings = settings
        watched = Rounds()
        if slot >= 0 { loop.setDeadline(nil, slot: slot) }
    }

    func ready(_ readiness: Readiness, side: Side) {}
    func resume() {}

    func deadlinePassed() {
        let patience = PeerPatience(settings)
        for var entry in watched.nextTurn() {
            guard let session = loop.tenant(slot: Int(entry.slot)) as? Session, session.id == entry.session else {
                continue
            }
            if session.peersOweSomething(patience, &entry.stalls) { watched.add(entry) }
        }
        let pause = patience.interval.flatMap { watched.pause(betweenRounds: $0) }
        loop.setDeadline(pause.map { loop.now &+ $0 }, slot: slot)
    }
}

extension Worker {
    /// Looks after the session's peers from now on.
    func watch(_ session: Session, _ stalls: PeerStalls = PeerStalls()) {
        session.isToBeWatched = false
        watches[session.route].add(session, stalls)
    }

    /// The route's settings are others than before: its sessions' peers are looked after by these.
    func watchPeers(ofRoute route: Int, _ settings: SessionSettings) {
        let former = watches[route].settings
        guard
            (former.tcpUserTimeout, former.stallTimeout) != (settings.tcpUserTimeout, settings.stallTimeout)
                || former.keepalive != settings.keepalive
        else { return }
        watches[route].begin(settings)
        for case let session as Session in loop.everyTenant where session.route == route { session.watchPeersAnew() }
    }
}

extension Session {
    /// Has the kernel and the route's watch look after both peers, once the session has come of age.
    func watchPeers() {
        guard !watchesBackend else { return }
        backend?.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        watchesBackend = true
        // A peer that has no room already would be cut before the first look.
        let patience = PeerPatience(settings)
        var stalls = PeerStalls()
        if patience.interval != nil, peersOweSomething(patience, &stalls) { worker.watch(self, stalls) }
    }

    /// The settings have changed.
    fileprivate func watchPeersAnew() {
        client.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        guard watchesBackend else { return }
        backend?.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        worker.watch(self)
    }

    /// Ends the session if one of its peers is gone.
    ///
    /// - Returns: Whether it is to be looked at again; otherwise the next bytes bring it back.
    func peersOweSomething(_ patience: PeerPatience, _ stalls: inout PeerStalls) -> Bool {
        guard machine.isRelaying, !isLeaving else { return false }
        var owes = false
        for side in [Side.client, .backend] where !isClosed && !isLeaving && owesSomething(side, patience, &stalls) {
            owes = true
        }
        isToBeWatched = !owes
        return owes
    }

    private func owesSomething(_ side: Side, _ patience: PeerPatience, _ stalls: inout PeerStalls) -> Bool {
        guard let progress = side == .client ? client.peerProgress : backend?.peerProgress else { return false }
        let stalledFor = stalls[side] == 0 ? nil : (loop.now &- stalls[side]) / 1_000_000
        let verdict = patience.verdict(on: progress, stalledFor: stalledFor)
        switch verdict {
        case .nothingOwed, .underWay:
            if stalls[side] != 0 {
                stalls[side] = 0
                setUserTimeout(settings.tcpUserTimeout?.roundedUp(to: .milliseconds(1)) ?? 0, of: side)
            }
        case .stalled(let timeout):
            if stalls[side] == 0 { stalls[side] = loop.now }
            if let timeout { setUserTimeout(timeout, of: side) }
        case .silent: failed(side, code: ETIMEDOUT)
        case .tooLong where side == .client: close(because: "the client takes nothing: stall_timeout")
        case .tooLong: endAfterBackend(because: "the server takes nothing: stall_timeout")
        }
        return verdict != .nothingOwed
    }

    private func setUserTimeout(_ milliseconds: Int32, of side: Side) {
        switch side {
        case .client: client.set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, milliseconds)
        case .backend: backend?.set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, milliseconds)
        }
    }
}

extension Descriptor {
    /// How far the peer is; `nil` of a socket that is none of TCP, and of kernels before 4.6, which do not tell.
    var peerProgress: PeerProgress? {
        // Where things stand in `struct tcp_info` of linux/tcp.h; the C library's is older.
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
