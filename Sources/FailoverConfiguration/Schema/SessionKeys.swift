package import FailoverCore

extension Schema {
    /// The keys of a route that concern its sessions.
    @KeysBuilder<SessionSettings> static var session: [Key<SessionSettings>] {
        timeouts
        "What happens to sessions on an alias that went down. close: they are closed at once. keep: they stay open."
        Key("on_outage", \.onOutage, .choice)
        """
        What happens to sessions on a failover alias when a better one is back. drain: they are closed at transaction \
        boundaries. close: they are closed at once. keep: they stay open.
        """
        Key("on_recovery", \.onRecovery, .choice)
        """
        How long a session must have been idle before drain closes it, at least 50ms. Those that were idle longest are \
        closed first. Pools that check their connections do so for those that were idle for about a second.
        """
        Key("drain_idle", \.drainIdle, .duration.checked(isAtLeastFiftyMilliseconds)).since("0.2")
        """
        How long drain leaves a session alone that is never idle for `drain_idle`. After that it closes the session at \
        any transaction boundary.
        """
        Key("drain_busy_after", \.drainBusyAfter, .duration).since("0.2")
        """
        Whether drain asks the server, as its monitoring user, which sessions are at a transaction boundary, where the \
        proxy cannot read that because they are encrypted or compressed. The user needs a privilege for it; see \
        docs/installation.md. Without an answer such sessions stay open until `drain_deadline`.
        """
        Key("attest", \.attest, .boolean).since("0.2")
        """
        Sessions that drain could not close within this time, such as those in a transaction, are then closed anyway, \
        at `drain_rate`. Their open transactions are cut off. 0 is never.
        """
        Key("drain_deadline", \.drainDeadline, .durationOrNone)
        "Sessions that are closed per second while they drain."
        Key("drain_rate", \.drainRate, .number(1...1_000_000))
        """
        The PROXY protocol header, by which the server learns the client's address. The pings of the route's aliases \
        send such a header too.
        """
        Key(
            "send_proxy", \.sendProxy, ValueKind<SendProxyChoice>.choice.mapped(\.version, SendProxyChoice.init(_:)),
            example: "off")
        "Whether clients come through a load balancer that sends such a header."
        Key("accept_proxy", \.acceptProxy, .boolean)
        """
        Whether sessions on a failover alias are protected from accidental writes, also if an operator switched the \
        route to it. PostgreSQL gets default_transaction_read_only = on as a start-up parameter; MySQL and MariaDB get \
        SET SESSION TRANSACTION READ ONLY after each login, COM_CHANGE_USER and COM_RESET_CONNECTION. A client can \
        still request write access: SET SESSION TRANSACTION READ WRITE, BEGIN READ WRITE, SET \
        default_transaction_read_only = off. A server that does not accept the parameter, such as PgBouncer before \
        1.20, gets a statement after the login. DISCARD ALL undoes it, and a transaction pooler applies it to its \
        other clients too. Not for engine tcp.
        """
        Key("failover_read_only", \.failoverReadOnly, .boolean)
        """
        What happens to sessions that `failover_read_only` cannot protect because they are encrypted or compressed. \
        allow: they are served without the guard, and the log has a line about it; a role without write permission is \
        the safer protection. refuse: no failover alias serves them, and clients receive an error, so that no client \
        falls back to clear text. The MySQL or MariaDB server sees a refused login of `failover-refused` for each.
        """
        Key("read_only_opaque", \.readOnlyOpaque, .choice).only(
            Condition(key: "failover_read_only") { settings in
                settings.readOnlyOpaque == .refuse && !settings.failoverReadOnly
                    ? "has an effect only with `failover_read_only: true`" : nil
            })
    }

    @KeysBuilder<SessionSettings> private static var timeouts: [Key<SessionSettings>] {
        """
        Time limit for connecting to one alias, shared by its addresses; then the next alias is tried. If no alias \
        that is up serves the client, those that have been down for more than a second are tried too, the last one to \
        go down first, with three times this limit. Aliases that have a wrong role or stopped replication, or are in a \
        drill or drained, are left out.
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
        A session without a byte in either direction for this long is closed, with a message if the protocol allows \
        one at that point. A session whose client waits for the server is not idle. A session that cannot be read \
        (TLS, compression) is not idle if its last byte came from the client. 0 is never.
        """
        Key("idle_timeout", \.idleTimeout, .durationOrNone)
        """
        A session whose server has closed the connection no longer counts for any `max_connections`. It is closed \
        after this long without a byte, but not while data of the server waits for the client.
        """
        Key("half_close_timeout", \.halfCloseTimeout, .duration).since("0.2")
        """
        A server or a client that has not acknowledged data for this long counts as lost; see tcp(7). One that \
        acknowledges but accepts no data does not. 0 uses the kernel's default.
        """
        Key("tcp_user_timeout", \.tcpUserTimeout, .durationOrNone.checked(fitsTheKernel))
        "A server or a client that acknowledges but accepts no data for this long counts as lost. 0 is never."
        Key("stall_timeout", \.stallTimeout, .durationOrNone).since("0.2")
        """
        Idle time before the kernel sends keepalive probes to a server or a client, at most half of \
        `tcp_user_timeout`. After three probes without an answer the connection is lost; see tcp(7). Whole seconds; 0 \
        sends none.
        """
        Key("keepalive", \.keepalive, .durationOrNone.checked(isWholeSeconds))
    }

    @Sendable private static func fitsTheKernel(_ limit: Duration?) -> String? {
        limit ?? .zero > .milliseconds(Int32.max) ? "must not be longer than 24 days, the kernel's limit" : nil
    }

    /// Below this, a request that is already on its way would often meet a closed connection.
    @Sendable private static func isAtLeastFiftyMilliseconds(_ time: Duration) -> String? {
        time < .milliseconds(50) ? "must be at least 50ms" : nil
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
