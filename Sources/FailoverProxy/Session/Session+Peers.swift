import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// Peers that owe acknowledgements.
extension Session {
    /// Starts to watch both peers, by the kernel and the route's ``PeerWatch``, once the session has reached its
    /// minimum age.
    func watchPeers() {
        guard !watchesBackend else { return }
        backend?.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        watchesBackend = true
        // Without this check, a peer whose window is already closed would be disconnected before the first regular
        // check.
        let timeouts = PeerTimeouts(settings)
        var stalls = PeerStalls()
        if timeouts.interval != nil, peersOweSomething(timeouts, &stalls) { environment.watch(self, stalls) }
    }

    /// The settings have changed.
    func watchPeersAnew() {
        client.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        guard watchesBackend else { return }
        backend?.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        environment.watch(self)
    }

    func peersOweSomething(_ timeouts: PeerTimeouts, _ stalls: inout PeerStalls) -> Bool {
        guard machine.isRelaying, !isLeaving else { return false }
        var owes = false
        for side in [Side.client, .backend] where !isClosed && !isLeaving && owesSomething(side, timeouts, &stalls) {
            owes = true
        }
        isToBeWatched = !owes
        return owes
    }

    private func owesSomething(_ side: Side, _ timeouts: PeerTimeouts, _ stalls: inout PeerStalls) -> Bool {
        guard let progress = side == .client ? client.peerProgress : backend?.peerProgress else { return false }
        let stalledFor = stalls[side] == 0 ? nil : (loop.now &- stalls[side]) / 1_000_000
        let verdict = timeouts.verdict(on: progress, stalledFor: stalledFor)
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
        case .tooLong where side == .client: close(because: "the client accepts no data (stall_timeout)")
        case .tooLong: endAfterBackend(because: "the server accepts no data (stall_timeout)")
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
