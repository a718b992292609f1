import FailoverCore
import FailoverProxy

extension SessionSettings {
    /// What a service of type database says of its sessions; the defaults where it says nothing.
    init(_ section: Section) {
        self.init()
        readTimes(section)
        readMoves(section)
        readProxyHeaders(section)
        readGuard(section)
    }

    private mutating func readTimes(_ section: Section) {
        if let limit = section["connect_timeout"]?.duration() { connectTimeout = limit }
        if let limit = section["greeting_timeout"]?.duration() { greetingTimeout = limit }
        if let limit = section["client_startup_timeout"]?.duration() { clientStartupTimeout = limit }
        if let limit = section["idle_timeout"]?.durationOrZero() { idleTimeout = limit.unlessZero }
        if let limit = section["queue_timeout"]?.durationOrZero() { queueTimeout = limit.unlessZero }
        if let limit = section["half_close_timeout"]?.duration() { halfCloseTimeout = limit }
        if let limit = section["stall_timeout"]?.durationOrZero() { stallTimeout = limit.unlessZero }
        if let value = section["tcp_user_timeout"], let limit = value.durationOrZero() {
            if limit > .milliseconds(Int32.max) { value.report("must not be longer than 24 days, the kernel's limit") }
            tcpUserTimeout = limit.unlessZero
        }
        if let value = section["keepalive"], let interval = value.durationOrZero() {
            if interval.components.attoseconds != 0 || interval.components.seconds > 32767 {
                value.report("the kernel takes whole seconds, 32767 at most, found \(interval.configurationText)")
            }
            keepalive = interval.unlessZero
        }
    }

    private mutating func readMoves(_ section: Section) {
        if let policy = section["on_outage"]?.choice(of: OutagePolicy.self) { onOutage = policy }
        if let policy = section["on_recovery"]?.choice(of: RecoveryPolicy.self) { onRecovery = policy }
        if let deadline = section["drain_deadline"]?.durationOrZero() { drainDeadline = deadline.unlessZero }
        if let rate = section["drain_rate"]?.integer(in: 1...1_000_000) { drainRate = rate }
    }

    private mutating func readProxyHeaders(_ section: Section) {
        sendProxy = section["send_proxy"]?.choice(of: SendProxyChoice.self)?.version
        acceptProxy = section["accept_proxy"]?.choice(of: Switch.self) == .on
    }

    private mutating func readGuard(_ section: Section) {
        failoverReadOnly = section["failover_read_only"]?.choice(of: Truth.self) == .true
        guard let value = section["read_only_opaque"], let policy = value.choice(of: OpaquePolicy.self) else { return }
        if policy == .refuse, !failoverReadOnly { value.report("has a meaning only with `failover_read_only: true`") }
        readOnlyOpaque = policy
    }
}

/// What `send_proxy` may say.
enum SendProxyChoice: String, CaseIterable {
    case off, v1, v2

    init(_ version: ProxyHeaderVersion?) {
        self =
            switch version {
            case nil: .off
            case .v1: .v1
            case .v2: .v2
            }
    }

    var version: ProxyHeaderVersion? { ProxyHeaderVersion(rawValue: rawValue) }
}

/// What a key that turns something on may say.
enum Switch: String, CaseIterable {
    case off, on
}

/// Whether something is so.
enum Truth: String, CaseIterable {
    case `false`, `true`
}

extension Duration {
    fileprivate var unlessZero: Duration? { self == .zero ? nil : self }
}
