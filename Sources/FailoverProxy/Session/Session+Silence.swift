import FailoverCore

/// What silence means for a session that is served.
extension Session {
    /// Ends the session once it has been silent for too long.
    ///
    /// The deadline was set for the latest activity known then; there may have been more since.
    func closeIfIdle() {
        guard let limit = silenceLimit else { return loop.setDeadline(nil, slot: slot) }
        let deadline = lastActivity &+ limit
        guard deadline <= loop.now else { return loop.setDeadline(deadline, slot: slot) }
        // What comes later gets the whole limit again, so that a look after it is early enough.
        if waitsForPeer { return loop.setDeadline(loop.now &+ limit, slot: slot) }
        if toClient.sourceEnded { return close(because: "its server has ended") }
        let words = settings.idleTimeout.map { ", idle_timeout: nothing was said for \($0.inWords)" } ?? ""
        end(because: "\(worker.routes.routes[route].name)\(words)", as: .idle)
    }

    /// How long it may be silent, in nanoseconds; `nil` is for ever.
    private var silenceLimit: UInt64? {
        let idle = settings.idleTimeout?.nanoseconds
        guard toClient.sourceEnded else { return idle }
        return min(idle ?? .max, settings.halfCloseTimeout.nanoseconds)
    }

    /// Whether the silence is not the client's: it waits for an answer, or has not taken all of it. The watch over the
    /// peers ends a session whose peer is gone.
    private var waitsForPeer: Bool {
        if !toClient.pending.isEmpty || waitsForMemory { return true }
        return !toClient.sourceEnded && (stream.awaitsServer ?? clientSpokeLast)
    }

    /// Its server has said all that it will: from now on it is in nobody's way.
    func serverEnded() {
        leavePlace()
        lastActivity = loop.now
        closeIfIdle()
    }
}
