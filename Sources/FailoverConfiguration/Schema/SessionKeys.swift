package import FailoverCore

extension Schema {
    /// The keys of a route that concern its sessions.
    @KeysBuilder<SessionSettings> static var session: [Key<SessionSettings>] {
        timeouts
        """
        What happens to sessions on an alias that went down. close: they are closed at once. keep: they are left \
        alone.
        """
        Key("on_outage", \.onOutage, .choice)
        """
        What happens to sessions on a failover alias when a better one is back. drain: they are closed at transaction \
        boundaries. close: they are closed at once. keep: they are left alone.
        """
        Key("on_recovery", \.onRecovery, .choice)
        """
        Sessions that drain could not close in this time, such as encrypted ones, are then closed all the same, at \
        `drain_rate`. 0 is never.
        """
        Key("drain_deadline", \.drainDeadline, .durationOrNone)
        "Sessions that are closed per second while they drain."
        Key("drain_rate", \.drainRate, .number(1...1_000_000))
        """
        The PROXY protocol header that tells a server the address of the client. The pings of the route's aliases \
        begin with one too.
        """
        Key(
            "send_proxy", \.sendProxy, ValueKind<SendProxyChoice>.choice.mapped(\.version, SendProxyChoice.init(_:)),
            example: "off")
        "Whether clients come through a balancer that sends such a header."
        Key("accept_proxy", \.acceptProxy, .boolean)
        """
        Whether sessions on a failover alias are kept from writing by accident, also where an operator switched to \
        it. PostgreSQL gets default_transaction_read_only = on as a start-up parameter; MySQL and MariaDB get SET \
        SESSION TRANSACTION READ ONLY after each login, COM_CHANGE_USER and COM_RESET_CONNECTION. A client can still \
        ask to write: SET SESSION TRANSACTION READ WRITE, BEGIN READ WRITE, SET default_transaction_read_only = off. \
        A server that takes no such parameter, such as PgBouncer before 1.20, gets a statement after the login; \
        DISCARD ALL takes that back, and a transaction pooler keeps it for its other clients. Not for engine tcp.
        """
        Key("failover_read_only", \.failoverReadOnly, .boolean)
        """
        What happens to sessions that `failover_read_only` can't reach: encrypted and compressed ones. allow: they are \
        served without the guard, and a warning is logged; a role without the right to write is the safer guard. \
        refuse: no failover alias serves them, and clients receive an error, so that no client falls back to clear \
        text. MySQL and MariaDB see a refused login of `failover-refused` for each.
        """
        Key("read_only_opaque", \.readOnlyOpaque, .choice).only(
            Condition(key: "failover_read_only") { settings in
                settings.readOnlyOpaque == .refuse && !settings.failoverReadOnly
                    ? "has an effect only with `failover_read_only: true`" : nil
            })
    }

    @KeysBuilder<SessionSettings> private static var timeouts: [Key<SessionSettings>] {
        """
        Time limit of connecting to one alias, shared by its addresses; then the next one is tried. When every alias \
        is down, and has been for a second, all are tried nevertheless, those that were up last first, with three \
        times this limit.
        """
        Key("connect_timeout", \.connectTimeout, .duration)
        """
        Time limit for a server that has accepted a connection to send its greeting, or to answer a whole message of \
        the client. The alias's addresses share it; then the next one is tried. When no other is left to try, the \
        limit is the alias's `ping_timeout` if that is longer.
        """
        Key("greeting_timeout", \.greetingTimeout, .duration)
        """
        Time limit for all that a client must send before it is served. With engine mysql it covers the login, and is \
        9s at most: a MySQL server allows ten seconds, and counts one that exceeds them against the proxy's address.
        """
        Key("client_startup_timeout", \.clientStartupTimeout, .duration)
        """
        A session without a byte in either direction for this long is closed, with a message of its protocol where \
        that has a place for one. A session whose client waits for the server is not idle. A session that can't be \
        read (TLS, compression) is not idle while its client has spoken last. 0 is never.
        """
        Key("idle_timeout", \.idleTimeout, .durationOrNone)
        """
        A session that its server has ended no longer counts for any `max_connections`. What is left of it is closed \
        after this long without a byte. A client that has yet to take what the server has sent is given the time.
        """
        Key("half_close_timeout", \.halfCloseTimeout, .duration)
        """
        A server or a client that has not acknowledged for this long is given up; see tcp(7). One that acknowledges \
        but has no room is not. 0 leaves it to the kernel.
        """
        Key("tcp_user_timeout", \.tcpUserTimeout, .durationOrNone.checked(fitsTheKernel))
        """
        A server or a client that acknowledges, but takes nothing of what waits for it for this long, is given up. 0 \
        is never.
        """
        Key("stall_timeout", \.stallTimeout, .durationOrNone)
        """
        Idle time before the kernel asks a server or a client whether it is there, half of `tcp_user_timeout` at \
        most. The third question without an answer is the last; see tcp(7). Whole seconds; 0 never asks.
        """
        Key("keepalive", \.keepalive, .durationOrNone.checked(isWholeSeconds))
    }

    @Sendable private static func fitsTheKernel(_ limit: Duration?) -> String? {
        limit ?? .zero > .milliseconds(Int32.max) ? "must not be longer than 24 days, the kernel's limit" : nil
    }

    @Sendable private static func isWholeSeconds(_ interval: Duration?) -> String? {
        guard let interval else { return nil }
        let (seconds, attoseconds) = interval.components
        if attoseconds == 0 && seconds <= 32767 { return nil }
        return "the kernel takes whole seconds, 32767 at most, found \(interval.configurationText)"
    }
}

/// The values of `send_proxy`.
package enum SendProxyChoice: String, CaseIterable, Sendable {
    case off, v1, v2

    package init(_ version: ProxyHeaderVersion?) {
        self =
            switch version {
            case nil: .off
            case .v1: .v1
            case .v2: .v2
            }
    }

    var version: ProxyHeaderVersion? { ProxyHeaderVersion(rawValue: rawValue) }
}
