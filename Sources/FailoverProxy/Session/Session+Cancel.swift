import FailoverCore
import FailoverSystem

/// The session's cancel key.
extension Session {
    /// A backend serves the session and may send a key.
    func awaitKey() {
        guard environment.configuration.routes[route].engine == .postgres, let alias = machine.alias else { return }
        environment.registry.cancelKeys.addKeyless(1, alias: alias)
        key = .unknown
        // A key that has passed through the guard was not read.
        if case .postgres = stream { awaitsKey = true }
    }

    /// The server has sent more. Once it waits for queries, it has sent its key or has none.
    func learnKey() {
        guard awaitsKey, let key = stream.cancelKey, let alias = machine.alias else { return }
        awaitsKey = false
        switch key {
        case .unknown: return
        case .known(let key): environment.registry.cancelKeys.insert(key, alias: alias)
        case .absent: break
        }
        environment.registry.cancelKeys.addKeyless(-1, alias: alias)
        self.key = key
    }

    /// No query is left to cancel.
    func forgetKey() {
        guard let alias = machine.alias else { return }
        switch key {
        case .absent: return
        case .unknown: environment.registry.cancelKeys.addKeyless(-1, alias: alias)
        case .known(let key): environment.registry.cancelKeys.remove(key, alias: alias)
        }
        key = .absent
        awaitsKey = false
    }
}

/// A session that is a cancel request.
extension Session {
    /// Sends the cancel request to all servers of the route that may know its key. It takes no connection slot of the
    /// route.
    ///
    /// The client regards the end of its connection as the confirmation, so the connection is closed after all
    /// deliveries.
    func cancel(_ message: [UInt8]) {
        let addresses = environment.addressesToCancel(CancelKey(request: message), ofRoute: route)
        var remaining = addresses.count
        guard remaining > 0 else { return close(because: "cancel request for an unknown session") }
        let budget = environment.registry.cancelRequests
        guard budget.take() else { return close(because: "too many cancel requests are under way") }
        let deadline = loop.now &+ settings.handshakeLimits.connect &+ settings.handshakeLimits.greeting
        isLeaving = true
        leavePlace()
        handshakeDeadline = deadline
        loop.setDeadline(deadline, slot: slot)
        let header = settings.sendProxy.map { proxyHeader($0) } ?? []
        for (address, tls) in addresses {
            CancelDelivery(environment, header: header, message: message, tls: tls) { [self] in
                remaining -= 1
                guard remaining == 0 else { return }
                budget.leave()
                close(because: "its cancel request was delivered")
            }.start(at: address, deadline: deadline)
        }
    }
}
